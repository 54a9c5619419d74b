"""`/readyz` tells of each part that stopped doing its work, though the process is there and answers."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from bot.area import Areas
from bot.jobs.engine import INTERACTIVE, Engine
from bot.schedule import Schedule
from bot.telemetry.calls import Watcher
from bot.telemetry.heartbeat import LastWrite, ProcessHeartbeat
from bot.telemetry.metrics import Metrics
from bot.unit import Units
from handlers.status.health import ready
from storage.core.executor_lock import lock_of
from storage.database import Database
from tests.rows import NOW
from tests.story.waiting import eventually

pytestmark = pytest.mark.both_databases

WELL = {"database": True, "engine": True, "schedule": True}


@dataclass
class Moving:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


class Process:
    """The parts that are asked, all of them real."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock, self.leaving = database, Moving(), threading.Event()
        self.engine = Engine(database, "test-0")
        self.schedule = Schedule(Units(database, self.engine, self.clock, Areas()))
        self.lock = lock_of(database, "test-0")
        self.lock.take(self.leaving)
        self.last_write = LastWrite()
        self.heartbeat = ProcessHeartbeat(
            database, "test-0", "all", lambda: True, Watcher(self.clock, Metrics()), self.last_write
        )

    def told(self) -> Mapping[str, bool]:
        return ready(
            self.database, self.engine, self.schedule, self.clock, self.lock, self.leaving,
            self.last_write,
        )  # fmt: skip


@pytest.fixture
def process(database: Database) -> Iterator[Process]:
    process = Process(database)
    process.engine.start(execute=True)
    process.schedule.tick()
    process.heartbeat.beat()
    yield process
    process.engine.stop()
    process.lock.release()


def test_all_is_well(process: Process) -> None:
    assert process.told() == WELL


def test_a_schedule_that_stands_still_is_told(process: Process) -> None:
    process.clock.at += timedelta(seconds=19)
    assert process.told() == WELL
    process.clock.at += timedelta(seconds=2)
    assert process.told() == {**WELL, "schedule": False}
    process.schedule.tick()
    assert process.told() == WELL


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_engine_of_which_one_thread_has_gone_is_told(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.jobs.engine._DEAD", 4.0)
    eventually(lambda: any(one.name == f"queue-worker-{INTERACTIVE}" for one in threading.enumerate()), "no queue")
    # The one that begins threads anew, and the thread of one queue.
    for name in ("(queue_thread)", f"queue-worker-{INTERACTIVE}"):
        (thread,) = [one for one in threading.enumerate() if one.name.endswith(name)]
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        thread.join(10)
        assert not thread.is_alive()
    eventually(lambda: process.told() == {**WELL, "engine": False}, lambda: f"{process.told()}", 10)


def test_an_engine_with_nothing_to_do_looks_for_work_all_the_same(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.engine._DEAD", 4.0)
    until = time.monotonic() + 6
    while time.monotonic() < until:
        assert process.told() == WELL
        time.sleep(0.2)


def test_a_database_that_is_read_and_not_written_is_told(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telemetry.heartbeat._MISSED", 0.5)
    with process.database.write() as session:
        session.execute(text("ALTER TABLE process RENAME TO away"))
    process.heartbeat.beat()
    eventually(lambda: process.told() == {**WELL, "writing": False}, lambda: f"{process.told()}", 5)
    with process.database.write() as session:
        session.execute(text("ALTER TABLE away RENAME TO process"))
    process.heartbeat.beat()
    assert process.told() == WELL
