"""The fake Feishu as one object: people and clicks for the console and for tests, HTTP for apps."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from sandbox.faults import CallFault
from sandbox.feishu import routes
from sandbox.feishu.api import refusal
from sandbox.feishu.clicks import Clicks
from sandbox.feishu.errors import Refused
from sandbox.feishu.people import People
from sandbox.feishu.pushes import Verification
from sandbox.feishu.snapshot import snapshot


class Feishu(People, Clicks):
    """State, people, clicks and events; `app` is the app under test, with `event_url` as its callback address."""

    def start(self) -> None:
        self.long_connection.start()

    def stop(self) -> None:
        self.long_connection.stop()
        self.events.close()

    def blueprint(self) -> Blueprint:
        return routes.blueprint(self, self.update_later)

    def error_answer(self, kind: CallFault) -> Response:
        """Feishu's throttling (99991400 with `x-ogw-ratelimit-reset`) and its internal error."""
        if kind is CallFault.TOO_MANY:
            headers = {"x-ogw-ratelimit-limit": "1000", "x-ogw-ratelimit-reset": "1"}
            return refusal(Refused(99991400, "request trigger frequency limit", 429, headers))
        return refusal(Refused(2200, "Internal Error", 500))

    def revoke_tokens(self) -> int:
        """Take back every token at once: calls with one of them get 99991663. How many there were. docs: §2.2"""
        with self.world.lock:
            count = len(self.store.tokens)
            self.store.tokens.clear()
        return count

    def verify_callback(self) -> Verification:
        """What pressing Save beside the callback address does: a challenge that must come back within 1 s."""
        return self.events.verify(self.app)

    def snapshot(self, open_id: str) -> dict[str, Any]:
        """What this person's client shows now.

        {"me": person, "users": [person], "bots": [{app_id, open_id, name}],
         "chats": [{chat_id, name, kind: "group" | "p2p", members: [open_id], bots: [open_id], unread: int,
                    messages: [message]}]}
        person: {open_id, name, en_name, avatar (a colour), locale, resigned}
        message, oldest first: {message_id, number, sender: {kind: "user" | "bot", open_id, name}, msg_type,
         created_at, updated_at (ms), revision (grows when the card changes), recalled, edited, parent_id, root_id,
         only_for_me (ephemeral), urgent (this person is reminded), mentions: [{open_id, name}],
         reactions: [{emoji, by, mine}]} and, unless recalled, by type:
         text {text, with names in place of keys} · interactive {card: JSON 2.0, clickable} · image {image_key} ·
         file {file_key, file_name} · others {content}.
        Pictures: `store.uploads[key].data` and `.content_type`.
        """
        with self.world.lock:
            return snapshot(self.store, open_id)
