"""Jobs that were given up, for whoever tries them again or puts them aside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, key_text, sealed_json

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
