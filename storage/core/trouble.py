"""What went wrong and waits for somebody: jobs given up, platforms that do not answer, and what was put aside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, key_text, long_key, sealed_json

_PASSING = frozenset({"at", "trail", "span"})  # parts of a payload that differ between runs of the same work


class FailedJobState(StrEnum):
    FAILED = "failed"
    RETRYING = "retrying"  # somebody asked for another attempt


class FailedJob(Base):
    """Work that was given up. The same work failing again is one row with a higher count."""

    __tablename__ = "failed_job"
    __table_args__ = (Index("ix_failed_job_last_at", "last_at"),)
    key: Mapped[key_text] = mapped_column(primary_key=True)
    job: Mapped[key_text]
    payload: Mapped[sealed_json]
    error: Mapped[key_text]  # class of the error
    incident: Mapped[key_text]
    state: Mapped[key_text]
    times: Mapped[int]
    retries: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class Parked(Base):
    """Something stuck that somebody put aside. `was` is the state it goes back to."""

    __tablename__ = "parked"
    kind: Mapped[key_text] = mapped_column(primary_key=True)
    subject: Mapped[long_key] = mapped_column(primary_key=True)
    was: Mapped[key_text]
    by_id: Mapped[int | None]
    at: Mapped[datetime]


class CallTrouble(Base):
    """Failing calls to one account or to Feishu. `well_at`: when one succeeded since."""

    __tablename__ = "call_trouble"
    target: Mapped[key_text] = mapped_column(primary_key=True)
    errors: Mapped[int]  # since `since`
    what: Mapped[long_key]
    why: Mapped[key_text]
    since: Mapped[datetime]
    last_at: Mapped[datetime]
    well_at: Mapped[datetime | None]

    @property
    def is_over(self) -> bool:
        return self.well_at is not None and self.well_at >= self.last_at


def fingerprint(job: str, payload: Mapping[str, Any]) -> str:
    """Which work this is, whenever it runs."""
    lasting = {name: value for name, value in payload.items() if name not in _PASSING}
    told = json.dumps([job, lasting], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


class FailedJobs:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, key: str) -> FailedJob | None:
        return self._session.get(FailedJob, key, with_for_update=True, populate_existing=True)

    def add(self, job: str, payload: Mapping[str, Any], incident: str, error: str, at: datetime) -> None:
        self.again(fingerprint(job, payload), job, payload, incident, error, at)

    def again(self, key: str, job: str, payload: Mapping[str, Any], incident: str, error: str, at: datetime) -> None:
        row = self.get(key)
        if row is None:
            row = FailedJob(key=key, job=job, payload=dict(payload), times=0, retries=0, first_at=at)
            self._session.add(row)
        row.times += 1
        row.incident, row.error, row.last_at, row.state = incident, error[:64], at, FailedJobState.FAILED

    def done(self, key: str) -> None:
        row = self.get(key)
        if row is not None:
            self._session.delete(row)

    def since(self, at: datetime, limit: int = 200) -> Sequence[FailedJob]:
        """Newest first."""
        query = select(FailedJob).where(FailedJob.last_at >= at).order_by(FailedJob.last_at.desc()).limit(limit)
        return list(self._session.scalars(query))

    def count(self, since: datetime) -> int:
        return self._session.scalar(select(func.count()).where(FailedJob.last_at >= since)) or 0

    def forget(self, before: datetime) -> None:
        self._session.execute(delete(FailedJob).where(FailedJob.last_at < before))


class ParkedItems:
    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, kind: str, subject: str, was: str, by_id: int | None, at: datetime) -> None:
        self._session.merge(Parked(kind=kind, subject=subject, was=was, by_id=by_id, at=at))

    def get(self, kind: str, subject: str) -> Parked | None:
        return self._session.get(Parked, (kind, subject), with_for_update=True)

    def take(self, kind: str, subject: str) -> Parked | None:
        """Take it out of there; what it was."""
        row = self.get(kind, subject)
        if row is not None:
            self._session.delete(row)
        return row

    def all(self, limit: int = 50) -> Sequence[Parked]:
        """Newest first."""
        return list(self._session.scalars(select(Parked).order_by(Parked.at.desc(), Parked.subject).limit(limit)))

    def subjects(self, kind: str) -> set[str]:
        return set(self._session.scalars(select(Parked.subject).where(Parked.kind == kind)))

    def count(self) -> int:
        return self._session.scalar(select(func.count()).select_from(Parked)) or 0

    def forget(self, before: datetime) -> None:
        """What was put aside that long ago is shown again, if it is still there and still stuck."""
        self._session.execute(delete(Parked).where(Parked.at < before))


class Troubles:
    def __init__(self, session: Session) -> None:
        self._session = session

    def failed(self, target: str, errors: int, what: str, why: str, at: datetime, new_after: datetime) -> None:
        """Count errors; a trouble whose last one lies before `new_after` is over, and this is a new one."""
        row = self._session.get(CallTrouble, target, with_for_update=True)
        if row is None:
            row = CallTrouble(target=target, errors=0, since=at)
            self._session.add(row)
        elif row.last_at < new_after or row.last_at > at:
            row.errors, row.since = 0, at
        row.errors += errors
        row.what, row.why, row.last_at = what[:200], why[:64], at

    def well(self, target: str, at: datetime) -> None:
        row = self._session.get(CallTrouble, target, with_for_update=True)
        if row is not None:
            row.well_at = at

    def since(self, at: datetime) -> Sequence[CallTrouble]:
        query = select(CallTrouble).where(CallTrouble.last_at >= at).order_by(CallTrouble.target)
        return list(self._session.scalars(query))
