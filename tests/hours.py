"""Hours of the day, for tests whose outcome must not hang on when they are run."""

from __future__ import annotations

from datetime import datetime, timedelta


def until_next(now: datetime, hour: int, minute: int = 0, second: int = 0) -> timedelta:
    """How long it is until the clock says so next, in the zone of `now`."""
    at = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return (at if at > now else at + timedelta(days=1)) - now
