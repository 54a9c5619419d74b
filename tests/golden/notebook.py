"""What reached the sandbox since somebody looked last: messages, cards and their changes, calls to the channel."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.calls import Call
from sandbox.feishu.snapshot import readable
from sandbox.feishu.state import Chat, Message
from sandbox.server import Sandbox
from tests.golden.outline import changes, outline

_RANDOM = re.compile(r"ChsyM[^ ?]*|4200\d{24}|mpops-\d+-[0-9a-f]{16}")  # must not decide about an order
_UNTOLD = ("/open-apis/auth/", "/open-apis/im/v1/messages", "/open-apis/bot/")  # seen by what came of them


class Notebook:
    """`steps` is what was written down, in order: each with its lines."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.steps: list[dict[str, Any]] = []
        self._number = 0  # of the last message
        self._call = 0
        self._revisions: dict[str, int] = {}
        self._recalled: set[str] = set()
        self._cards: dict[str, list[str]] = {}  # as they stood last, by message id
        self._looks: dict[str, list[str]] = {}  # every look of every card, by <message id>.<which>, in order

    def write(self, step: str, told: Sequence[str] = ()) -> None:
        """Write down everything that happened since the last time; `told` is what only the actor knows."""
        self.steps.append({"step": step, "then": [*told, *self._chats(), *self._calls()]})

    # --- Feishu ----------------------------------------------------------------------------------------------------

    def _chats(self) -> list[str]:
        feishu = self._sandbox.feishu
        with self._sandbox.world.lock:
            # Chat by chat: which of two is written to first is nobody's business.
            fresh = sorted(
                (one for one in feishu.store.messages.values() if one.number > self._number),
                key=lambda one: (self._name(feishu.store.chat(one.chat_id)), one.number),
            )
            chats: dict[str, list[str]] = {}
            for id, revision in self._revisions.items():
                message = feishu.store.messages[id]
                if message.recalled and id not in self._recalled:
                    self._recalled.add(id)
                    chats.setdefault(message.chat_id, []).append(f"{id} is recalled")
                elif message.revision != revision:
                    chats.setdefault(message.chat_id, []).extend(self._changed(message))
            for message in fresh:
                self._number = max(self._number, message.number)
                self._revisions[message.message_id] = message.revision
                if message.sender_kind == "bot":
                    chats.setdefault(message.chat_id, []).extend(self._new(message))
            named = {self._name(feishu.store.chat(id)): lines for id, lines in chats.items()}
        return [line for name, lines in sorted(named.items()) if lines for line in (f"in {name}", *lines)]

    def _name(self, chat: Chat) -> str:
        if chat.kind == "group":
            return chat.name
        return f"{self._sandbox.feishu.store.user(chat.members[0]).name}, private"

    def _new(self, message: Message) -> Iterator[str]:
        reply = f" answers {message.parent_id}" if message.parent_id else ""
        head = f"{message.message_id}{reply}"
        if message.is_card:
            yield from self._told(message, f"{head}: card")
            return
        mentions = [f"{one.key}={one.open_id}" for one in message.mentions]
        said = message.content if message.msg_type != "text" else readable(message)
        yield f"{head}: {message.msg_type} {said} {' '.join(mentions)}".rstrip()

    def _changed(self, message: Message) -> Iterator[str]:
        self._revisions[message.message_id] = message.revision
        if not message.is_card:
            yield f"{message.message_id} is edited: {readable(message)}"
        elif outline(message.content) != self._cards[message.message_id]:  # else drawn anew, and it looks the same
            yield from self._told(message, f"{message.message_id} is now")

    def _told(self, message: Message, head: str) -> Iterator[str]:
        """A card by its whole, or by what it has otherwise than one that was told before where that is shorter."""
        lines = outline(message.content)
        like = min(reversed(self._looks), key=lambda name: _fresh(self._looks[name], lines), default="")
        best = changes(self._looks[like], lines) if like else lines
        if _size(best) >= _size(lines):
            like, best = "", lines
        self._cards[message.message_id] = lines
        number = sum(name.startswith(message.message_id) for name in self._looks) + 1
        self._looks[f"{message.message_id}.{number}"] = lines
        yield f"{head} like {like}" if like else head
        yield from (f" {line}" for line in best)

    # --- calls -----------------------------------------------------------------------------------------------------

    def _calls(self) -> list[str]:
        """Sorted, for who calls first is nobody's business; the same call again is counted."""
        calls = self._sandbox.world.calls.since(self._call, 5000)
        self._call = calls[-1].number if calls else self._call
        told = Counter(_call(one) for one in calls if one.direction == "in" and not one.path.startswith(_UNTOLD))
        pushed = Counter(_push(one) for one in calls if one.direction == "out" and one.platform == "wechatpay")
        return [*_counted(told), *_counted(pushed)]


def _fresh(before: Sequence[str], after: Sequence[str]) -> int:
    known = set(before)
    return _size([line for line in after if line not in known])


def _size(lines: Sequence[str]) -> int:
    # Placeholders come later and ids are all of a length, so this is the same in every run.
    return sum(map(len, lines))


def _call(call: Call) -> str:
    code = f" {call.code}" if call.code and call.code != "0" else ""
    return f"called {call.method} {call.path} {call.summary} → {call.status}{code}".replace("  ", " ")


def _push(call: Call) -> str:
    return f"pushed {call.path} {call.summary} → {call.status}"


def _counted(told: Mapping[str, int]) -> list[str]:
    lines = sorted(told.items(), key=lambda one: _RANDOM.sub("", one[0]))
    return [line if count == 1 else f"{count} × {line}" for line, count in lines]
