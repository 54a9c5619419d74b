"""Events that arrive together are stored together, and each is stored, told about and worked off by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from bot.area import Areas
from bot.cards.actions import ActionSigner
from bot.clock import SystemClock
from bot.feishu.envelope import Envelope
from bot.incoming import batching
from bot.incoming.batching import BatchWriter
from bot.incoming.processing import FEISHU, InboxProcessing
from bot.incoming.router import Router
from bot.jobs.engine import URGENT, USUAL, Engine, Payload
from bot.jobs.names import PROCESS, PROCESS_ALL, jobs_table
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
    begun: dict[str, list[str]] = field(default_factory=dict)  # by the name of the job: the items in it

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
        desk.begun[payload["ids"][0]] = payload["ids"]
        work.process_all(payload)

    def process(payload: Payload) -> None:
        desk.begun.setdefault(payload["id"], [payload["id"]])
        work.process(payload)

    engine.register(PROCESS, process)
    engine.register(PROCESS_ALL, process_all)
    engine.start(execute=True)
    yield desk
    engine.stop()


def test_a_crowd_is_stored_in_few_transactions_and_each_is_worked_off(desk: Desk) -> None:
    told = desk.at_once([arrival(f"e{number}") for number in range(CROWD)])
    assert told == dict.fromkeys(range(CROWD), True)
    assert desk.worked_off()
    assert desk.states() == {f"feishu:e{number}": InboxState.IGNORED for number in range(CROWD)}
    # One came first, perhaps not alone; the others waited for it and came together, four to a job.
    assert 2 <= len(desk.jobs) <= 4

    assert desk.batches.store(arrival("e3")) is False  # Feishu repeats itself
    assert desk.batches.store(arrival("later")) is True
    assert desk.worked_off()


def test_those_somebody_waits_for_share_no_job_with_others_and_the_settled_have_none(desk: Desk) -> None:
    crowd = [arrival(f"e{number}") for number in range(CROWD)]
    crowd = [replace(one, is_urgent=number % 3 == 0, unhandled=number % 3 == 1) for number, one in enumerate(crowd)]
    assert desk.at_once(crowd) == dict.fromkeys(range(CROWD), True)
    settled = {one.id for one in crowd if one.unhandled}
    assert {id for id, state in desk.states().items() if state == InboxState.IGNORED} >= settled
    assert desk.worked_off()
    with desk.database.read() as session:
        jobs = session.execute(text(f"SELECT workflow_uuid, priority FROM {jobs_table(desk.database.is_sqlite)}")).all()
        assert None not in session.scalars(select(InboxItem.done_at)).all()
    kinds = {
        URGENT: {one.id for one in crowd if one.is_urgent},
        USUAL: {f"feishu:e{number}" for number in (2, 5, 8, 11)},
    }
    assert {priority for _, priority in jobs} == set(kinds)
    for name, priority in jobs:
        assert set(desk.begun[name]) <= kinds[priority]
        kinds[priority] -= set(desk.begun[name])
    assert kinds == {URGENT: set(), USUAL: set()}, "each is in one job"


def test_what_comes_twice_among_many_leaves_nobody_without_a_job(desk: Desk) -> None:
    """Jobs are named after the first of their items: it must not be the first of two."""
    order = [0, 1, 2, 3, 0, 4, 5, 6]
    told = desk.at_once([arrival("first"), *(arrival(f"e{number}") for number in order)])
    assert sum(value is True for value in told.values()) == 8
    assert desk.worked_off()
    with desk.database.read() as session:
        jobs = session.scalars(text(f"SELECT workflow_uuid FROM {jobs_table(desk.database.is_sqlite)}")).all()
    begun = [id for job in jobs for id in desk.begun[job]]
    assert sorted(begun) == sorted(set(begun))
    assert len(begun) == 8


def test_while_the_database_is_away_all_are_told_at_once() -> None:
    gone, tries = OperationalError("", {}, Exception("gone")), []

    def store(arrivals: Sequence[Arrival]) -> set[str]:
        tries.append(len(arrivals))
        raise gone

    together = [batching._Waiting(arrival(f"e{number}")) for number in range(5)]
    batching._settle(together, store)
    assert tries == [5], "one after the other they would wait five times as long"
    assert [each.error for each in together] == [gone] * 5


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
