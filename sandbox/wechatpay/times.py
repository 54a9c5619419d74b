"""Dates and times as the platform writes them: RFC 3339 in Beijing time. docs: 基本规则."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


def rfc3339(at: datetime, *, milliseconds: bool = False) -> str:
    return at.astimezone(BEIJING).isoformat(timespec="milliseconds" if milliseconds else "seconds")


def beijing_date(at: datetime) -> date:
    return at.astimezone(BEIJING).date()


def stamp(at: datetime, form: str = "%Y%m%d%H%M%S") -> str:
    """The local time as it stands inside the platform's numbers."""
    return at.astimezone(BEIJING).strftime(form)


def aware(at: datetime) -> datetime:
    """Refuses naive times, which would silently move by eight hours."""
    if at.tzinfo is None:
        raise ValueError("naive datetime")
    return at.astimezone(UTC)
