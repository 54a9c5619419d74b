"""What a bot under test still has to do, as its database says; its page of metrics tells old numbers."""

from __future__ import annotations

from sqlalchemy import text

from bot.jobs.names import jobs_table
from storage.database import Database
from tests.bench.processes import until


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
        return self._count(self._inbox)

    def until_idle(self, seconds: float = 120, every: float = 0.2) -> None:
        """Until nothing that came in or goes out waits."""
        until(lambda: not any(self._count(each) for each in self._all), seconds, "an idle bot", every)

    def _count(self, rows: str) -> int:
        with self._database.read() as session:
            return int(session.scalar(text(f"SELECT count(*) FROM {rows}")) or 0)
