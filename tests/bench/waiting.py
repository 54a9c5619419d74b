"""What a bot under test still has to do, as its database says; its page of metrics tells old numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from bot.jobs.names import jobs_table
from sandbox.demo import Demo
from storage.database import Database
from tests.bench.processes import until


@contextmanager
def beside(demo: Demo) -> Iterator[Waiting]:
    """Start the demo, and end it again; what it still has to do meanwhile."""
    database = Database(demo.environment()["MPOPS_DATABASE_URL"])
    try:
        demo.start()
        yield Waiting(database)
    finally:
        database.close()
        demo.stop()


class Waiting:
    """By the names that are stored, which all versions read."""

    def __init__(self, database: Database) -> None:
        jobs = jobs_table(database.is_sqlite)
        self._database = database
        self._inbox = "inbox WHERE state = 'new'"
        self._all = (
            self._inbox,
            "outbox WHERE state = 'waiting'",
            f"{jobs} WHERE status IN ('ENQUEUED', 'PENDING')",
        )

    def inbox(self) -> int:
        """Items that came in and are not worked off."""
        return self.count(self._inbox)

    def until_idle(self, seconds: float = 120, every: float = 0.2) -> None:
        """Until nothing that came in or goes out waits."""
        until(lambda: not any(self.count(each) for each in self._all), seconds, "an idle bot", every)

    def count(self, rows: str) -> int:
        """How many rows there are; `rows` is a table, with a condition behind it."""
        with self._database.read() as session:
            return int(session.scalar(text(f"SELECT count(*) FROM {rows}")) or 0)
