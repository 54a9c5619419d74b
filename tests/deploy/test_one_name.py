"""Real processes that want the same name: the second is refused in clear words, a dead one is replaced at once."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.jobs.engine import Engine
from bot.jobs.names import jobs_table
from storage.database import Database
from tests.cli.running import MPOPS, mpops, settings
from tests.databases import migrated_url

pytestmark = pytest.mark.both_databases


class Worker:
    """`mpops worker`, and what it says."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen([*MPOPS, "worker"], env=environment, stderr=subprocess.PIPE, text=True)
        self.said = ""
        self._works = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            if line.startswith("mpops works"):
                self._works.set()
        self.process.stderr.close()

    def works(self, seconds: float) -> float:
        """How long it took until it works; an assertion fails when it does not in time."""
        began = time.monotonic()
        assert self._works.wait(seconds), self.said
        return time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[tuple[dict[str, str], list[Worker]]]:
    environment = settings(migrated_url("postgresql", tmp_path), MPOPS_EXECUTOR="worker-0")
    started: list[Worker] = [Worker(environment)]
    yield environment, started
    for one in started:
        one.kill()


def test_a_second_process_of_a_name_is_refused_and_a_dead_one_replaced_at_once(
    worker: tuple[dict[str, str], list[Worker]],
) -> None:
    environment, started = worker
    first = started[0]
    first.works(60)
    refused = mpops("worker", env=environment)
    assert refused.code == 1
    assert "Nothing was started" in refused.err
    for word in ("worker-0", "MPOPS_EXECUTOR"):
        assert word in refused.err
    first.kill()
    started.append(Worker(environment))
    started[1].works(60)
    assert "slot.waiting" not in started[1].said


def test_migrating_and_starting_a_web_process_take_up_no_work(database: Database) -> None:
    """Whoever migrates cannot do the work: what waits is still there afterwards, for those who can."""
    engine = Engine(database, "web")
    engine.migrate()
    engine.start(execute=False)
    for number in range(30):
        with database.write() as session:
            engine.enqueue(session, "somebody.else", f"waits-{number}", {})
    again = Engine(database, "web")
    for _ in range(3):
        again.migrate()
    engine.stop()
    table = jobs_table(database.is_sqlite)
    with database.read() as session:
        states = session.execute(text(f"SELECT status, count(*) FROM {table} GROUP BY status")).all()
    assert [tuple(row) for row in states] == [("ENQUEUED", 30)]
