"""Events that arrive together are stored together, and each is stored, told about and worked off by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from bot.area import Areas
from bot.cards.actions import ActionSigner
from bot.clock import SystemClock
from bot.feishu.envelope import Envelope
from bot.incoming.batching import BatchWriter
from bot.incoming.processing import FEISHU, InboxProcessing
from bot.incoming.router import Router
from bot.jobs.engine import Engine, Payload
from bot.jobs.names import PROCESS, PROCESS_ALL
from bot.unit import Units
from storage.core.inbox import Arrival, InboxItem, InboxState
from storage.database import Database

pytestmark = pytest.mark.both_databases

AT = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
CROWD = 12


def arrival(id: str) -> Arrival:
    return Arrival(
        f"feishu:{id}", FEISHU, "something.new_v1", Envelope(id, "something.new_v1", "2.0", AT, {}).dump(), AT
    )


@dataclass
class Desk:
    database: Database
    batches: BatchWriter
    jobs: list[str] = field(default_factory=list)

    def states(self) -> dict[str, str]:
        with self.database.read() as session:
            return {item.id: item.state for item in session.scalars(select(InboxItem))}

    def worked_off(self) -> bool:
        until = time.monotonic() + 20
        while any(state == InboxState.NEW for state in self.states().values()):
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def at_once(self, arrivals: list[Arrival]) -> dict[int, bool | SQLAlchemyError]:
        """Store them while the table is held, so that they gather; what each was told, in the order given."""
        told: dict[int, bool | SQLAlchemyError] = {}

        def store(number: int) -> None:
            try:
                told[number] = self.batches.store(arrivals[number])
            except SQLAlchemyError as error:
                told[number] = error

        threads = [threading.Thread(target=store, args=(number,)) for number in range(len(arrivals))]
        with self.database.write() as session:
            if self.database.is_sqlite:
                session.execute(text("SELECT 1"))  # a writer holds the whole file
            else:
                session.execute(text("LOCK TABLE inbox IN EXCLUSIVE MODE"))
            for thread in threads:
                thread.start()
                time.sleep(0.005)
            assert not told, "somebody was answered before anything was stored"
        for thread in threads:
            thread.join(20)
        return told


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    engine = Engine(database, "test-0")
    units = Units(database, engine, SystemClock(), Areas())
    desk = Desk(database, BatchWriter(units))
    work = InboxProcessing(units, Router((), ()), ActionSigner(b"k" * 32), lambda unit, account, body: None, lambda: "")

    def process_all(payload: Payload) -> None:
        desk.jobs.append(PROCESS_ALL)
        work.process_all(payload)

    engine.register(PROCESS, work.process)
    engine.register(PROCESS_ALL, process_all)
    engine.start(execute=True)
    yield desk
    engine.stop()


def test_a_crowd_is_stored_in_few_transactions_and_each_is_worked_off(desk: Desk) -> None:
    told = desk.at_once([arrival(f"e{number}") for number in range(CROWD)])
    assert told == dict.fromkeys(range(CROWD), True)
    assert desk.worked_off()
    assert desk.states() == {f"feishu:e{number}": InboxState.IGNORED for number in range(CROWD)}
    assert 1 <= len(desk.jobs) <= 2  # one came first, perhaps not alone; the others waited for it and came together

    assert desk.batches.store(arrival("e3")) is False  # Feishu repeats itself
    assert desk.batches.store(arrival("later")) is True
    assert desk.worked_off()


def test_one_that_cannot_be_stored_does_not_take_the_others_with_it(desk: Desk) -> None:
    crowd = [arrival(f"e{number}") for number in range(6)]
    crowd[3] = replace(crowd[3], received_at=AT.replace(tzinfo=None))  # which the column refuses
    crowd.append(crowd[1])  # and one comes twice at once
    told = desk.at_once(crowd)
    assert isinstance(told[3], SQLAlchemyError)
    assert sorted(told) == list(range(7))
    assert sorted(told[number] is True for number in (1, 6)) == [False, True]
    assert all(told[number] is True for number in (0, 2, 4, 5))
    assert desk.worked_off()
    assert set(desk.states()) == {f"feishu:e{number}" for number in (0, 1, 2, 4, 5)}
    assert desk.batches.store(arrival("later")) is True  # nobody is left in the way


def test_what_was_not_stored_is_told_to_everybody_and_can_come_again(desk: Desk) -> None:
    with desk.database.write() as session:
        session.execute(text("ALTER TABLE inbox RENAME TO away"))
    with pytest.raises(SQLAlchemyError):
        desk.batches.store(arrival("e0"))
    with desk.database.write() as session:
        session.execute(text("ALTER TABLE away RENAME TO inbox"))
    assert desk.batches.store(arrival("e0")) is True
    assert desk.worked_off()
