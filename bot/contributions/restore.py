"""What must be taken up again after a restore. Read by `mpops restore`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.contributions.base import Named
from bot.jobs.engine import INTERACTIVE, USUAL, Engine, Payload


@dataclass(frozen=True, slots=True)
class Resuming:
    """The transaction of a restore, in which work is handed to an engine that does not run."""

    session: Session
    engine: Engine
    now: datetime

    def enqueue(
        self, job: str, id: str, payload: Payload, *, queue: str = INTERACTIVE, partition: str | None = None
    ) -> None:
        """Behind what people ask for from now on."""
        self.engine.enqueue(self.session, job, id, payload, queue=queue, partition=partition, priority=USUAL)


@dataclass(frozen=True, slots=True)
class Unfinished(Named):
    """`resume` enqueues anew what the rows say is not finished; deadlines and schedules are found by their own sweeps.

    The backup is of an earlier moment: what the rows say is about to be done outside may have been done since.
    """

    resume: Callable[[Resuming], None]
