"""What time brings. Read by the schedule and by the job behind due deadlines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from bot.contributions.base import Contribution, Named
from bot.unit import Unit
from storage.core.schedule import Deadline


@dataclass(frozen=True, slots=True)
class Cron:
    """When a job runs, in a time zone: fields as in APScheduler's CronTrigger."""

    zone: str
    hour: str = "*"
    minute: str = "0"

    def latest(self, after: datetime, until: datetime) -> datetime | None:
        """The newest run time later than `after` and not later than `until`."""
        from apscheduler.triggers.cron import CronTrigger

        trigger = CronTrigger(hour=self.hour, minute=self.minute, timezone=self.zone)
        # After a long stop only the newest missed run counts: look back two days at the most.
        start = max(after + timedelta(seconds=1), until - timedelta(days=2))
        found: datetime | None = None
        moment = trigger.get_next_fire_time(None, start.astimezone(UTC))
        while moment is not None and moment.astimezone(UTC) <= until:
            # Always onwards in UTC: where the clocks go back, a wall clock's second later may be an hour earlier.
            found = moment.astimezone(UTC)
            moment = trigger.get_next_fire_time(None, found + timedelta(seconds=1))
        return found


@dataclass(frozen=True, slots=True)
class Scheduled(Contribution):
    """A job that runs by the clock. `since`: before that moment it did not exist, so nothing is made up."""

    id: str
    cron: Cron
    job: str
    since: datetime | None = None
    payload: dict[str, Any] = field(default_factory=dict)

    def identifiers(self) -> tuple[str, ...]:
        return (self.id,)


@dataclass(frozen=True, slots=True)
class ScheduledByRows(Named):
    """Jobs that run by the clock as rows say; read anew at every tick."""

    read: Callable[[Session], Iterable[Scheduled]]


@dataclass(frozen=True, slots=True)
class Sweep(Contribution):
    """A short look for what is due, every `seconds`."""

    seconds: float
    run: Callable[[], object]


OnDue: TypeAlias = Callable[[Unit, Deadline], datetime | None]


@dataclass(frozen=True, slots=True)
class DeadlineKind(Named):
    """Who says what happens when a deadline of that kind is due, and when to look again (None: that was all)."""

    due: OnDue
