"""Signed clicks: a button's value proves that this bot drew it, for whom, and at which state of the item."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from types import MappingProxyType

from bot.cards.values import Action

_FIELDS = frozenset("asvxbt")
_PURPOSE = b"mpops card action 1\n"
_TAG_BYTES = 16
_SHORTEST_KEY = 16


class ForgedAction(ValueError):
    """A click's value that this bot did not sign, or signed for another chat or person. Says nothing about why."""


class ActionSigner:
    """Signs with `key`; also opens what `previous` keys signed, so that cards survive a change of the key."""

    def __init__(self, key: bytes, *previous: bytes) -> None:
        if any(len(each) < _SHORTEST_KEY for each in (key, *previous)):
            raise ValueError(f"a key for card actions needs at least {_SHORTEST_KEY} bytes")
        self._keys = (key, *previous)

    def sign(self, action: Action, bound_to: str) -> Mapping[str, object]:
        """The callback value of a button; `bound_to` is `chat:<chat_id>` or `person:<open_id>`."""
        if not bound_to.startswith(("chat:", "person:")) or bound_to.endswith(":"):
            raise ValueError("an action is bound to chat:<chat_id> or person:<open_id>")
        value: dict[str, object] = {
            "a": action.name,
            "s": action.subject,
            "v": action.version,
            "x": dict(action.extra),
            "b": bound_to,
        }
        return {**value, "t": _tag(self._keys[0], value)}

    def open(self, value: object, *, chat_id: str, open_id: str) -> Action:
        """The action that was signed. `ForgedAction` unless it was, for this chat or for this person."""
        if not isinstance(value, Mapping) or set(value) != _FIELDS:
            raise ForgedAction("malformed")
        name, subject, version, extra, bound_to, tag = (value[field] for field in "asvxbt")
        if not (isinstance(name, str) and isinstance(subject, str) and isinstance(bound_to, str)):
            raise ForgedAction("malformed")
        if not isinstance(tag, str) or not tag.isascii() or not isinstance(version, int) or isinstance(version, bool):
            raise ForgedAction("malformed")
        if not isinstance(extra, Mapping) or not all(
            isinstance(key, str) and isinstance(word, str) for key, word in extra.items()
        ):
            raise ForgedAction("malformed")
        signed = {"a": name, "s": subject, "v": version, "x": dict(extra), "b": bound_to}
        if not any(hmac.compare_digest(_tag(key, signed), tag) for key in self._keys):
            raise ForgedAction("unsigned")
        if bound_to not in (f"chat:{chat_id}", f"person:{open_id}"):
            raise ForgedAction("foreign")
        return Action(name, subject, version, MappingProxyType(dict(extra)))


def _tag(key: bytes, value: Mapping[str, object]) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    mac = hmac.new(key, _PURPOSE + canonical, hashlib.sha256).digest()[:_TAG_BYTES]
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
