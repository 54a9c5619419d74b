"""Handing a message to Feishu: a reply goes to its message, and to the chat where that message cannot be named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from bot.area import Areas
from bot.cards.actions import ActionSigner
from bot.clock import SystemClock
from bot.feishu.port import MessagesPort, Receiver
from bot.jobs.engine import Engine
from bot.outgoing.rendering import MessageRenderer, RenderedMessage
from bot.outgoing.sending import MessageSender
from bot.texts import catalogue
from bot.unit import Units, to_chat
from storage.database import Database


class Heard:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def reply_text(self, message_id: str, words: str, uuid: str) -> str:
        self.calls.append(("reply", message_id))
        return "om_new"

    def send_text(self, receiver: Receiver, words: str, uuid: str) -> str:
        self.calls.append(("send", receiver.id))
        return "om_new"


@pytest.mark.parametrize(
    ("message_id", "call"),
    [
        ("om_dc13264520392913993dd051dba21dcf", ("reply", "om_dc13264520392913993dd051dba21dcf")),
        ("om_/../../x", ("send", "oc_1")),
        ("om_1?a=b", ("send", "oc_1")),
        ("", ("send", "oc_1")),
        ("om_投诉", ("send", "oc_1")),
    ],
)
def test_only_what_can_be_a_message_id_is_replied_to(
    database: Database, message_id: str, call: tuple[str, str]
) -> None:
    units = Units(database, Engine(database, "test"), SystemClock(), Areas())
    renderer = MessageRenderer(units, ActionSigner(b"k" * 32), catalogue(), "Asia/Shanghai")
    heard = Heard()
    rendered = RenderedMessage(
        id=1, partition="l", receiver=to_chat("oc_1"), reply_to=message_id, attempts=1, card_id=None, message_id=None,
        created_at=datetime(2026, 3, 2, tzinfo=UTC), drawn=None, words="好", card=None,
    )  # fmt: skip
    MessageSender(cast(MessagesPort, heard), renderer, lambda: 1).send(rendered)
    assert heard.calls == [call]
