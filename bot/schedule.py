"""Work that time brings: sweeps every second, and jobs at set hours, each run once whatever the number of replicas.

APScheduler ticks; what is due is decided on our own clock from rows, so a clock that jumps, a restart or a night with
everything down loses nothing: the newest missed run is made up
(docs/decisions/0002-apscheduler-only-ticks.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.contributions.scheduled import DeadlineKind, Scheduled, ScheduledByRows, Sweep
from bot.jobs.engine import BULK, Payload
from bot.unit import Units
from storage.core.schedule import Deadlines, Schedules

log = structlog.get_logger("schedule")

DEADLINE = "deadline.due"
_STALE = timedelta(seconds=20)
_AHEAD = timedelta(minutes=1)


class Schedule:
    def __init__(self, units: Units) -> None:
        self._units = units
        self._next: dict[int, datetime] = {}
        self._scheduler: Any = None
        self.ticked_at: datetime | None = None

    def start(self) -> None:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        self._scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone="UTC")
        self._scheduler.add_job(
            self.tick, "interval", seconds=1, id="tick", coalesce=True, max_instances=1, misfire_grace_time=None,
            next_run_time=datetime.now(UTC),  # at once: until the first one the process does not count as ready
        )  # fmt: skip
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None

    def alive(self, now: datetime) -> bool:
        return self.ticked_at is not None and abs(now - self.ticked_at) < _STALE

    def tick(self) -> None:
        now = self._units.clock.now()
        for part in (lambda: self._due_jobs(now), lambda: self._due_deadlines(now)):
            self._guarded(part)
        for number, sweep in enumerate(self._units.areas.of(Sweep)):
            due, seconds = self._next.get(number), sweep.seconds
            # A clock that jumped back must not silence a sweep until it has caught up.
            if due is None or now >= due or due - now > timedelta(seconds=2 * seconds + 1):
                self._next[number] = now + timedelta(seconds=seconds)
                self._guarded(sweep.run)
        self.ticked_at = self._units.clock.now()

    def _guarded(self, part: Callable[[], object]) -> None:
        try:
            part()
        except SQLAlchemyError as error:
            log.warning("tick.database", error=type(error).__name__)
        except Exception:  # one broken sweep must not stop the deadlines
            log.exception("tick.failed")

    def _due_jobs(self, now: datetime) -> None:
        with self._units.read() as session:
            runs = Schedules(session)
            due: list[tuple[Scheduled, datetime | None]] = []
            ahead: list[tuple[str, datetime]] = []
            for scheduled in self._scheduled(session):
                last = runs.last_run(scheduled.id)
                if last is not None and last > now + _AHEAD:
                    ahead.append((scheduled.id, now))  # the clock has jumped back: do not wait until it is there
                    continue
                after = max((moment for moment in (last, scheduled.since) if moment is not None), default=None)
                if after is None:
                    due.append((scheduled, None))
                elif (at := scheduled.cron.latest(after, now)) is not None:
                    due.append((scheduled, at))
        for job, moment in ahead:
            with self._units.write(f"cron-{job}") as unit:
                unit.of(Schedules).reset(job, moment)
        for scheduled, at in due:
            with self._units.write(f"cron-{scheduled.id}") as unit:
                if at is None:
                    unit.of(Schedules).ran(scheduled.id, now)  # first sight: counts from here
                    continue
                id = f"cron-{scheduled.id}-{at.isoformat()}"
                payload = {**scheduled.payload, "at": at.isoformat()}
                unit.enqueue(scheduled.job, id, payload, queue=BULK)
                unit.of(Schedules).ran(scheduled.id, at)

    def _scheduled(self, session: Session) -> Iterator[Scheduled]:
        yield from self._units.areas.of(Scheduled)
        for rows in self._units.areas.of(ScheduledByRows):
            yield from rows.read(session)

    def _due_deadlines(self, now: datetime) -> None:
        with self._units.read() as session:
            due = Deadlines(session).due(now)
        if not due:
            return
        with self._units.write("deadlines") as unit:
            for deadline in due:
                # With the time in it: a job that ran while the clock stood back must not use up the id for ever.
                bucket = int(now.timestamp()) // 10
                id = f"deadline-{deadline.id}-{deadline.stage}-{deadline.next_at.isoformat()}-{bucket}"
                unit.enqueue(DEADLINE, id, {"id": deadline.id, "stage": deadline.stage})


class DeadlineWork:
    """The job behind a deadline that came due: whoever brings that kind says what happens and when to look again."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def due(self, payload: Payload) -> None:
        with self._units.write(f"deadline-{payload['id']}-{payload['stage']}") as unit:
            deadline = unit.deadlines.by_id(payload["id"])
            if deadline is None or deadline.done_at is not None or deadline.stage != payload["stage"]:
                return  # met, restarted or handled meanwhile
            if deadline.next_at > unit.now:
                return
            again = self._owner(deadline.kind).due(unit, deadline)
            if again is None:
                deadline.done_at = deadline.done_at or unit.now
            else:
                deadline.next_at = again
                deadline.stage += 1

    def _owner(self, kind: str) -> DeadlineKind:
        owner = self._units.areas.named(DeadlineKind, kind)
        if owner is None:
            raise LookupError(f"nobody here knows deadlines of the kind {kind!r}")
        return owner
