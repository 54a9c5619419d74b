"""After a restore: enqueue anew what the rows say is not finished.

The backup is of an earlier moment. What it says is about to be done outside may have been done since, so every such
call is marked as begun: the job behind it looks before it acts.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.area import Areas
from bot.contributions.restore import Resuming, Unfinished
from bot.jobs.engine import Engine


def resume(session: Session, engine: Engine, now: datetime, areas: Areas) -> None:
    """Runs in the transaction of the restore. Deadlines and schedules are found by their own sweeps."""
    resuming = Resuming(session, engine, now)
    for each in areas.of(Unfinished):
        each.resume(resuming)
