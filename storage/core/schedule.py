"""Due times: deadlines of items, last runs of schedules, heartbeats of processes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Index, Table, UniqueConstraint, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, id_key, key_text, long_key


class Deadline(Base):
    """A due time of an item. `next_at` is when somebody must be told next: first reminders, then the breach."""

    __tablename__ = "deadline"
    __table_args__ = (
        UniqueConstraint("kind", "subject"),
        Index("ix_deadline_next_at", "done_at", "next_at"),
    )
    id: Mapped[id_key]
    kind: Mapped[key_text]
    subject: Mapped[key_text]
    due_at: Mapped[datetime]
    next_at: Mapped[datetime]
    stage: Mapped[int] = mapped_column(default=0)  # how many reminders were given
    done_at: Mapped[datetime | None]


class ScheduleRun(Base):
    """The last run of a scheduled job that counted."""

    __tablename__ = "schedule_run"
    job: Mapped[long_key] = mapped_column(primary_key=True)
    last_at: Mapped[datetime]


class Heartbeat(Base):
    """A process that executes work, alive at `seen_at` (real time of the database's clients)."""

    __tablename__ = "heartbeat"
    executor: Mapped[key_text] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]


_deadline = cast(Table, Deadline.__table__)


def _set(insert: Any) -> Any:
    anew = insert(_deadline).values(stage=0)
    values = {"due_at": anew.excluded.due_at, "next_at": anew.excluded.next_at, "stage": 0, "done_at": None}
    return anew.on_conflict_do_update(index_elements=["kind", "subject"], set_=values)


# Made once and run on the table: almost every unit of work sets or meets a deadline, and looking first costs as much.
_SET = {"sqlite": _set(sqlite_insert), "postgresql": _set(postgres_insert)}
_MEET = (
    update(_deadline)
    .where(_deadline.c.kind == bindparam("of"), _deadline.c.subject == bindparam("item"), _deadline.c.done_at.is_(None))
    .values(done_at=bindparam("at"))
)


class Deadlines:
    def __init__(self, session: Session) -> None:
        self._session = session

    def set(self, kind: str, subject: str, due_at: datetime, next_at: datetime) -> None:
        """Start or restart a deadline."""
        self.set_all(subject, {kind: (due_at, next_at)})

    def set_all(self, subject: str, times: Mapping[str, tuple[datetime, datetime]]) -> None:
        """Start or restart deadlines of one item: for each kind when it is due, and when somebody is told next."""
        self._session.flush()
        rows = [
            {"kind": kind, "subject": subject, "due_at": due_at, "next_at": next_at}
            for kind, (due_at, next_at) in times.items()
        ]
        self._session.execute(_SET[self._session.get_bind().dialect.name], rows)
        self._look_again(subject)

    def _look_again(self, subject: str) -> None:
        """What the session holds of an item's deadlines is read anew when it is next asked for."""
        for row in self._session.identity_map.values():
            if isinstance(row, Deadline) and row.subject == subject:
                self._session.expire(row)

    def get(self, kind: str, subject: str) -> Deadline | None:
        return self._session.scalar(select(Deadline).where(Deadline.kind == kind, Deadline.subject == subject))

    def by_id(self, id: int) -> Deadline | None:
        return self._session.get(Deadline, id, with_for_update=True)

    def meet(self, kind: str, subject: str, at: datetime) -> None:
        self._session.flush()
        self._session.execute(_MEET, {"of": kind, "item": subject, "at": at})
        self._look_again(subject)

    def due(self, now: datetime, limit: int = 200) -> list[Deadline]:
        query = (
            select(Deadline)
            .where(Deadline.done_at.is_(None), Deadline.next_at <= now)
            .order_by(Deadline.next_at)
            .limit(limit)
        )
        return list(self._session.scalars(query))

    def oldest_overdue(self, now: datetime) -> datetime | None:
        query = select(func.min(Deadline.due_at)).where(Deadline.done_at.is_(None), Deadline.due_at <= now)
        return self._session.scalar(query)


class Schedules:
    def __init__(self, session: Session) -> None:
        self._session = session

    def last_run(self, job: str) -> datetime | None:
        row = self._session.get(ScheduleRun, job)
        return row.last_at if row is not None else None

    def ran(self, job: str, at: datetime) -> None:
        row = self._session.get(ScheduleRun, job, with_for_update=True)
        if row is None:
            self._session.add(ScheduleRun(job=job, last_at=at))
        elif row.last_at < at:
            row.last_at = at

    def reset(self, job: str, at: datetime) -> None:
        """Set the last run also backwards: after the clock has jumped back."""
        row = self._session.get(ScheduleRun, job, with_for_update=True)
        if row is not None:
            row.last_at = at

    def forget(self, job: str) -> None:
        row = self._session.get(ScheduleRun, job)
        if row is not None:
            self._session.delete(row)

    def beat(self, executor: str, at: datetime) -> None:
        self._session.merge(Heartbeat(executor=executor, seen_at=at))

    def silent(self, before: datetime) -> list[str]:
        return list(self._session.scalars(select(Heartbeat.executor).where(Heartbeat.seen_at < before)))

    def alive(self, since: datetime) -> list[str]:
        return list(self._session.scalars(select(Heartbeat.executor).where(Heartbeat.seen_at >= since)))

    def buried(self, executor: str) -> None:
        row = self._session.get(Heartbeat, executor)
        if row is not None:
            self._session.delete(row)
