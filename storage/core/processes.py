"""The processes of a deployment: which there are, and which fell silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, key_text

SILENT_AFTER = timedelta(seconds=30)
_FORGOTTEN = timedelta(days=7)


class Process(Base):
    """One process by its name (MPOPS_EXECUTOR) and role: `all`, `web` or `worker`. All times here are real time."""

    __tablename__ = "process"
    name: Mapped[key_text] = mapped_column(primary_key=True)
    role: Mapped[key_text] = mapped_column(primary_key=True)
    token: Mapped[key_text]  # made anew at each start
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ticked_at: Mapped[datetime | None]  # when its schedule was last seen running; a web process has none
    stopped_at: Mapped[datetime | None]  # it ended as it should


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    name: str
    role: str
    token: str


class Processes:
    def __init__(self, session: Session) -> None:
        self._session = session

    def seen(self, who: ProcessIdentity, now: datetime, *, ticked: bool) -> None:
        """Write down that it lives."""
        row = self._session.get(Process, (who.name, who.role), with_for_update=True)
        if row is None:
            row = Process(name=who.name, role=who.role, token=who.token, started_at=now, seen_at=now)
            self._session.add(row)
        elif row.token != who.token:
            row.token, row.started_at = who.token, now
        row.seen_at, row.stopped_at = now, None
        if ticked:
            row.ticked_at = now

    def stopped(self, who: ProcessIdentity, now: datetime) -> None:
        row = self._session.get(Process, (who.name, who.role), with_for_update=True)
        if row is not None and row.token == who.token:
            row.stopped_at = now

    def all(self) -> Sequence[Process]:
        return list(self._session.scalars(select(Process).order_by(Process.role, Process.name)))

    def silent(self, now: datetime) -> list[Process]:
        """Those that should live and do not say so."""
        return [one for one in self.all() if one.stopped_at is None and now - one.seen_at > SILENT_AFTER]

    def alive(self, now: datetime) -> list[Process]:
        return [one for one in self.all() if one.stopped_at is None and now - one.seen_at <= SILENT_AFTER]

    def ticked_at(self) -> datetime | None:
        """When a schedule of any process was last seen running."""
        return self._session.scalar(select(func.max(Process.ticked_at)))

    def has(self, name: str, role: str) -> bool:
        return self._session.get(Process, (name, role), with_for_update=True) is not None

    def dismiss(self, name: str, role: str) -> None:
        """Forget one that will not come back."""
        row = self._session.get(Process, (name, role), with_for_update=True)
        if row is not None:
            self._session.delete(row)

    def forget(self, now: datetime) -> None:
        self._session.execute(delete(Process).where(Process.seen_at < now - _FORGOTTEN))
