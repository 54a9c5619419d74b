"""Proving that a delivery came from Feishu and opening it, before anything else looks at it.

A repeat by Feishu carries a fresh timestamp and signature and the old id. So a delivery recorded by somebody else is
refused by its age, and inside the age window the inbox stops it by its natural id.
See docs/platforms/feishu.md ("Event delivery and signatures").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, TypeAlias

from bot.feishu.sealing import NONCE, SIGNATURE, TIMESTAMP, Undecryptable, decrypt, same, signature

MAX_AGE = timedelta(seconds=300)
LARGEST = 1024 * 1024  # bytes; the longest message is 150 KB, before escapes and base64
_LARGEST_UNSIGNED = 8 * 1024  # bytes; only the check of the address comes unsigned, and it is short
_LONGEST_ID = 200
_DEEPEST = 60  # levels of JSON; Feishu's own events have about 10
_LONGEST_CHALLENGE = 1000
_MESSAGE = "im.message.receive_v1"

Raw: TypeAlias = Mapping[str, Any]


class Refused(Exception):
    """Not from Feishu, or not to be read. `reason` is for the log; the sender learns nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Challenge:
    """Feishu checks the address; answer `{"challenge": value}` as JSON within 1 s."""

    value: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """One proven event or callback. The same event has the same `natural_id`, however often it comes.

    `schema` is "1.0" or "2.0"; `event` is Feishu's own JSON, whose shape nobody has checked yet.
    """

    natural_id: str
    event_type: str
    schema: str
    created_at: datetime
    event: Raw

    def dump(self) -> str:
        """For the inbox. ASCII, so that half a surrogate pair in somebody's text cannot stop it from being stored."""
        return json.dumps(
            {
                "id": self.natural_id,
                "type": self.event_type,
                "schema": self.schema,
                "created_at": self.created_at.isoformat(),
                "event": self.event,
            }
        )

    @classmethod
    def load(cls, stored: str) -> Envelope:
        raw = json.loads(stored)
        at = datetime.fromisoformat(raw["created_at"])
        return cls(raw["id"], raw["type"], raw["schema"], at, raw["event"])


def open_envelope(
    headers: Mapping[str, str],
    body: bytes,
    *,
    encrypt_key: str,
    verification_token: str,
    now: datetime,
    max_age: timedelta = MAX_AGE,
    takes_unsigned: bool = True,
    encrypt_key_previous: str = "",
    verification_token_previous: str = "",
    app_id: str = "",
    takes_tenant: Callable[[str], bool] = lambda tenant_key: True,
) -> Challenge | Envelope:
    """What Feishu sent, or `Refused`.

    With an encrypt key only signed and encrypted bodies count, but for the check of the address, which Feishu does not
    sign: there the verification token is the proof. Without a key the token is the only proof of all, and no age is
    checked, for whoever knows the token can write any time beside it. One of both must be configured.

    The signature comes first and needs no reading: what carries none is read only if it is short, and not even then
    while `takes_unsigned` is False.

    The previous key and token count beside the present ones, and only where there are present ones: for the time in
    which they are changed in the console.

    Whoever has our key may still be another app or another company. `app_id` is ours ("": not looked at), and
    `takes_tenant` is asked about the tenant of what is proven and whole. What an event does not say is not held
    against it: Feishu leaves fields away.
    """
    keys = [key for key in (encrypt_key, encrypt_key and encrypt_key_previous) if key]
    tokens = [token for token in (verification_token, verification_token and verification_token_previous) if token]
    if not encrypt_key and not verification_token:
        raise Refused("neither an encrypt key nor a verification token is configured")
    if len(body) > LARGEST:
        raise Refused("too large")
    signed = any(_is_signed(headers, body, key, now, max_age) for key in keys)
    if encrypt_key and not signed and (len(body) > _LARGEST_UNSIGNED or not takes_unsigned):
        raise Refused("unsigned")
    outer = _object(body)
    if encrypt_key:
        sealed = outer.get("encrypt")
        if not isinstance(sealed, str):
            raise Refused("plain body although an encrypt key is configured")
        outer = _opened(sealed, keys)
    elif "encrypt" in outer:
        raise Refused("encrypted body although no encrypt key is configured")
    _check_token(outer, tokens, signed)
    if outer.get("type") == "url_verification":
        return _challenge(outer)
    if encrypt_key and not signed:
        raise Refused("unsigned")
    envelope = _envelope(outer, now)
    _check_origin(outer, app_id, takes_tenant)
    return envelope


def _opened(sealed: str, keys: Sequence[str]) -> Raw:
    """The wrong key may give text by chance, about once in 256 times; it never gives JSON."""
    reason = "undecryptable"
    for key in keys:
        try:
            return _object(decrypt(sealed, key))
        except Undecryptable:
            continue
        except Refused as refusal:
            reason = refusal.reason
    raise Refused(reason)


def _object(text: bytes) -> Raw:
    try:
        value = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("not JSON") from None
    if not isinstance(value, dict):
        raise Refused("not an object")
    if _is_deep(value):
        raise Refused("nested too deeply")
    return value


def _is_deep(value: object) -> bool:
    """Whether writing it down again, from a deeper place of the program, could run out of stack."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _is_signed(headers: Mapping[str, str], body: bytes, encrypt_key: str, now: datetime, max_age: timedelta) -> bool:
    """False without any signature; `Refused` for a wrong or stale one."""
    given = {name.lower(): value for name, value in headers.items()}
    timestamp, nonce = given.get(TIMESTAMP.lower(), ""), given.get(NONCE.lower(), "")
    claimed = given.get(SIGNATURE.lower(), "")
    if not claimed or not same(claimed, signature(timestamp, nonce, encrypt_key, body)):
        # The check of the address may carry a signature that means nothing, so a wrong one is judged like none.
        return False
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Refused("timestamp unreadable")
    if abs(now.timestamp() - int(timestamp)) > max_age.total_seconds():
        raise Refused("timestamp out of the window")
    return True


def _check_token(outer: Raw, tokens: Sequence[str], signed: bool) -> None:
    if not tokens:
        return
    header = outer.get("header")
    token = header.get("token") if isinstance(header, dict) else outer.get("token")
    if token is None and signed:
        return
    if not isinstance(token, str) or not any(same(token, each) for each in tokens):
        raise Refused("verification token missing or wrong")


def _check_origin(outer: Raw, app_id: str, takes_tenant: Callable[[str], bool]) -> None:
    """Schema 2.0 says it in the header, 1.0 in the event. An operator or sender may be of another tenant, as in a group
    with outsiders: that is not where the event comes from.
    """
    header = outer.get("header")
    place = header if isinstance(header, dict) else outer["event"]
    said = place.get("app_id")
    if app_id and isinstance(said, str) and said and said != app_id:
        raise Refused("another app")
    tenant_key = place.get("tenant_key")
    if isinstance(tenant_key, str) and tenant_key and not takes_tenant(tenant_key):
        raise Refused("another tenant")


def _challenge(outer: Raw) -> Challenge:
    value = outer.get("challenge")
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_CHALLENGE:
        raise Refused("challenge missing")
    return Challenge(value)


def _envelope(outer: Raw, now: datetime) -> Envelope:
    event = outer.get("event")
    if not isinstance(event, dict):
        raise Refused("no event")
    header = outer.get("header")
    if isinstance(header, dict):
        event_type, schema = _name(header.get("event_type"), "event type"), "2.0"
        natural_id, at = _message_id(event_type, event) or header.get("event_id"), header.get("create_time")
    else:
        event_type, schema = _name(event.get("type"), "event type"), "1.0"
        natural_id, at = outer.get("uuid"), outer.get("ts")
    return Envelope(_name(natural_id, "event id"), event_type, schema, moment(at) or now, event)


def _message_id(event_type: str, event: Raw) -> str:
    # Feishu itself says that a message is known by its message id, for two events may tell of one message.
    message = event.get("message")
    if event_type != _MESSAGE or not isinstance(message, dict) or not isinstance(message.get("message_id"), str):
        return ""
    return f"message:{message['message_id']}"


def _name(value: object, what: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or not value.isprintable():
        raise Refused(f"{what} missing or unreadable")
    return value


def moment(value: object) -> datetime | None:
    """A Feishu time: seconds, milliseconds (most events) or microseconds (card clicks), as number or text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
        if not isfinite(seconds):
            return None
        while seconds >= 1e11:
            seconds /= 1000
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None
