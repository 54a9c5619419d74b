"""What is known of backups without opening one: when the last was made, proven and restored.

Apart from making and restoring them, which needs far more than a process at work has to hold in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.core.audit import AuditEntry
from storage.core.schedule import Schedules

# Rows of the schedule's runs.
MADE = "backup.made"  # when the last backup was made
RESTORED = "backup.restore"  # when the last restore was
PROVEN = "backup.proven"  # when the newest backup was made that passed a restore check
FAILED = "backup.drill_failed"  # when a restore check failed, until one succeeds

TOO_OLD = timedelta(days=2)  # for the newest backup, where one is made every day
RESTORE_CHECK_AFTER = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Standing:
    """`good_at`: when the newest proven backup was made. `is_late`: the last proof is too long ago, or never came."""

    good_at: datetime | None
    failed_at: datetime | None
    is_late: bool


def standing(session: Session, now: datetime) -> Standing:
    """What is known of the backups by trying them."""
    schedules = Schedules(session)
    good = schedules.last_run(PROVEN)
    since = good or session.scalar(select(func.min(AuditEntry.at)))  # a young deployment has some time for its first
    return Standing(good, schedules.last_run(FAILED), since is not None and now - since > RESTORE_CHECK_AFTER)


def proven(session: Session, made_at: datetime) -> None:
    """Remember that the backup made at that moment is good."""
    Schedules(session).ran(PROVEN, made_at)
    Schedules(session).forget(FAILED)


def not_proven(session: Session, at: datetime) -> None:
    """Remember that a restore check failed, so that somebody is told."""
    Schedules(session).ran(FAILED, at)
