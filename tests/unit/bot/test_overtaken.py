"""A process stands still between drawing a card and sending it, another one takes over, then the first one goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import select

from bot.area import Area, Areas
from bot.card_context import Look
from bot.cards.actions import ActionSigner
from bot.cards.values import Card
from bot.contributions.cards import CardKind
from bot.feishu.errors import FeishuError
from bot.feishu.port import MessagesPort, Receiver
from bot.jobs.engine import Engine
from bot.outgoing.delivery import Delivery
from bot.outgoing.rendering import MessageRenderer
from bot.outgoing.sending import MessageSender
from bot.telemetry import correlation
from bot.texts import catalogue, text
from bot.unit import Units, to_chat
from storage.core.outbox import OutboxMessage, OutboxState, PostedCard
from storage.database import Database

pytestmark = pytest.mark.both_databases

CHAT = to_chat("oc_1")


class Wall:
    """A chat with one card. `standing_still` happens once, before a call is answered."""

    def __init__(self) -> None:
        self.stands = ""
        self.posted = 0
        self.standing_still: Callable[[], None] | None = None
        self.refuses = False

    def send_card(self, receiver: Receiver, card: str, uuid: str) -> str:
        self.posted += 1
        self._show(card)
        return f"om_{uuid}"  # the same uuid, the same message: docs/platforms/feishu.md ("Messages")

    def patch_card(self, message_id: str, card: str) -> None:
        self._show(card)

    def _show(self, card: str) -> None:
        happens, self.standing_still = self.standing_still, None
        if happens is not None:
            happens()
            if self.refuses:
                raise FeishuError("patch", "refused", code=1)
        self.stands = card


class Watch:
    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class Scene:
    """Two processes that send what one database holds."""

    def __init__(self, database: Database) -> None:
        self.word, self.wall, self.watch = "first", Wall(), Watch()
        engine = Engine(database, "test")
        engine.migrate()
        engine.start(execute=False)
        self.engine = engine
        areas = Areas(Area("words", text("help.title"), (CardKind("word", self._draw),)))
        self.units = Units(database, engine, self.watch, areas)
        self.one, self.other = self._process(), self._process()
        with self.units.write("test") as unit:
            unit.send_card("word", "1", CHAT)
        self.partition = self.messages()[0].partition

    def _process(self) -> Delivery:
        renderer = MessageRenderer(self.units, ActionSigner(b"k" * 32), catalogue(), "Asia/Shanghai")
        sender = MessageSender(cast(MessagesPort, self.wall), renderer, lambda: 1)
        return Delivery(self.units, renderer, sender, lambda unit, chat_id, why: None)

    def _draw(self, look: Look) -> Card:
        return Card(title=text("command.unknown", word=self.word), blocks=())

    def meanwhile(self) -> None:
        """A minute goes by, the truth becomes another one, and the other process shows it."""
        self.watch.time += timedelta(minutes=1)
        self.word = "second"
        self.other.deliver({"lane": self.partition})
        assert "second" in self.wall.stands

    def messages(self) -> list[OutboxMessage]:
        with self.units.read() as session:
            return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


@pytest.fixture(autouse=True)
def under_a_correlation_id() -> Iterator[None]:
    """As the engine puts every job on one: what is set in here ends in here."""
    with correlation.within("0123abcd"):
        yield


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.mark.parametrize("known", [False, True])
def test_an_old_drawing_that_arrives_last_is_replaced(scene: Scene, known: bool) -> None:
    if known:  # the card stands there already, and is only drawn again
        scene.one.deliver({"lane": scene.partition})
        scene.word = "between"
        with scene.units.write("test") as unit:
            unit.refresh("word", "1")
    scene.wall.standing_still = scene.meanwhile
    scene.one.deliver({"lane": scene.partition})
    assert "second" in scene.wall.stands
    assert {one.state for one in scene.messages()} <= {OutboxState.SENT, OutboxState.SKIPPED}
    with scene.units.read() as session:
        (card,) = session.scalars(select(PostedCard))
    assert card.message_id is not None
    assert scene.wall.posted <= 2
    scene.engine.stop()


def test_a_late_refusal_does_not_undo_what_the_other_one_sent(scene: Scene) -> None:
    scene.wall.standing_still, scene.wall.refuses = scene.meanwhile, True
    scene.one.deliver({"lane": scene.partition})
    assert {one.state for one in scene.messages()} <= {OutboxState.SENT, OutboxState.SKIPPED}
    assert "second" in scene.wall.stands
    scene.engine.stop()


def test_what_somebody_put_aside_meanwhile_does_not_come_back(scene: Scene) -> None:
    def put_aside() -> None:
        with scene.units.write("test") as unit:
            for message in unit.session.scalars(select(OutboxMessage)):
                message.state = OutboxState.PARKED

    scene.wall.standing_still, scene.wall.refuses = put_aside, True
    scene.one.deliver({"lane": scene.partition})
    assert [one.state for one in scene.messages()] == [OutboxState.PARKED]
    scene.engine.stop()
