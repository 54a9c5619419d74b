"""A chat that Feishu throttles for a moment goes on when that is over, to its last message, by itself."""

from __future__ import annotations

import time
from typing import cast

import pytest

from bot.area import Areas
from bot.cards.actions import ActionSigner
from bot.clock import SystemClock
from bot.feishu.errors import Throttled
from bot.feishu.port import MessagesPort, Receiver
from bot.jobs.engine import Engine
from bot.jobs.names import DELIVER
from bot.outgoing.delivery import Delivery
from bot.outgoing.rendering import MessageRenderer
from bot.outgoing.sending import MessageSender
from bot.texts import catalogue, text
from bot.unit import Units, to_chat
from storage.database import Database

pytestmark = pytest.mark.both_databases

COUNT = 12


class BusyFeishu:
    """Refuses the very first message, once."""

    def __init__(self) -> None:
        self.refused = False
        self.sent: list[str] = []

    def send_text(self, receive: Receiver, words: str, uuid: str) -> str:
        if not self.refused:
            self.refused = True
            raise Throttled("text.send", "chat rate limit", code=230020)
        self.sent.append(words)
        return f"om_{uuid}"


def test_the_messages_behind_a_throttled_one_are_sent_in_order(database: Database) -> None:
    engine = Engine(database, "test-0")
    units = Units(database, engine, SystemClock(), Areas())
    feishu = BusyFeishu()
    renderer = MessageRenderer(units, ActionSigner(b"k" * 32), catalogue(), "Asia/Shanghai")
    sender = MessageSender(cast(MessagesPort, feishu), renderer, lambda: engine.peers)
    delivery = Delivery(units, renderer, sender, lambda unit, chat_id, why: None)
    engine.register(DELIVER, delivery.deliver)
    engine.start(execute=True)
    try:
        with units.write("test") as unit:
            for number in range(COUNT):
                unit.send_text(to_chat("oc_busy"), text("command.unknown", word=f"word{number}"))
        until = time.monotonic() + 30
        while len(feishu.sent) < COUNT and time.monotonic() < until:
            time.sleep(0.2)
            delivery.sweep()  # as every second
    finally:
        engine.stop()
    assert feishu.refused
    # One delivery was asked for all of them, and it ended when the first one had to wait.
    assert [f"word{number}" in words for number, words in enumerate(feishu.sent)] == [True] * COUNT
