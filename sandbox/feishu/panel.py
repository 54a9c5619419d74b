"""What people do in Feishu by the console's page: write, edit, recall, react, read, click, leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.feishu.client import Client
from sandbox.feishu.errors import CannotClick
from sandbox.panel import Action, Answer, Body, Id, NotPossible, Viewer, Words


class Send(Body):
    text: Words
    mention: list[Id] = []
    reply_to: str = ""


class Message(Body):
    message_id: Id


class Edit(Message):
    text: Words


class React(Message):
    emoji: Id


class Click(Message):
    path: Id
    tag: Id
    name: str = ""
    form_value: dict[str, Any] | None = None
    option: str | None = None
    input_value: str | None = None
    checked: bool | None = None


class Leave(Body):
    open_id: Id


class Panel:
    def __init__(self, client: Client) -> None:
        self._client = client

    def actions(self) -> Mapping[str, Action[Any]]:
        return {
            "send": Action(Send, self._send),
            "edit": Action(Edit, self._edit),
            "recall": Action(Message, self._recall),
            "react": Action(React, self._react),
            "read": Action(Body, self._read),
            "open": Action(Body, self._open_private),
            "click": Action(Click, self._click),
            "leave": Action(Leave, self._leave),
        }

    def _send(self, who: Viewer, given: Send) -> Answer:
        if not given.text.strip():
            raise NotPossible("an empty message is not sent")
        bots = {app.bot_open_id for app in self._client.store.apps.values()}
        message = self._client.user_sends(
            who.me, given.chat, given.text, mention_bot=bool(bots & set(given.mention)), reply_to=given.reply_to or None
        )
        return {"message_id": message.message_id}

    def _own(self, who: Viewer, message_id: str) -> None:
        if self._client.store.message(message_id).sender != who.me:
            raise NotPossible("only one's own message")

    def _edit(self, who: Viewer, given: Edit) -> None:
        self._own(who, given.message_id)
        self._client.user_edits(given.message_id, given.text)

    def _recall(self, who: Viewer, given: Message) -> None:
        self._own(who, given.message_id)
        self._client.user_recalls(given.message_id)

    def _react(self, who: Viewer, given: React) -> None:
        self._client.user_reacts(who.me, given.message_id, given.emoji)

    def _read(self, who: Viewer, given: Body) -> None:
        self._client.user_reads(who.me, given.chat)

    def _open_private(self, who: Viewer, given: Body) -> Answer:
        return {"chat_id": self._client.user_opens_p2p(who.me).chat_id}

    def _click(self, who: Viewer, given: Click) -> Answer:
        """`code` is the client's own error code (docs/platforms/feishu.md), 0 when the click was answered well."""
        try:
            result = self._client.click(
                who.me,
                given.message_id,
                element=given.path,
                form_value=given.form_value,
                option=given.option,
                input_value=given.input_value,
                checked=given.checked,
            )
        except CannotClick as refusal:
            raise NotPossible(str(refusal)) from refusal
        return {
            "code": result.code,
            "message": result.message,
            "toast": dict(result.toast) if result.toast else None,
            "updated": result.updated,
        }

    def _leave(self, who: Viewer, given: Leave) -> None:
        self._client.user_leaves(given.open_id)
