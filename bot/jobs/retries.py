"""When a job is run again, and how soon; and how soon whoever waits for a lost database looks for it.

Who waits keeps a place of a queue. Pauses that are doubled without an end would hold up new work for as long after an
outage as the outage took, so everybody looks every two seconds at least.
"""

from __future__ import annotations

import random
import time
from datetime import timedelta
from typing import Any

import tenacity
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

_WAIT_OUT = timedelta(minutes=15)
_LOOK_AGAIN = 2.0  # seconds
_MOST = 8
_doubled = tenacity.wait_exponential(multiplier=0.1, max=20)


class TryAgain(Exception):
    """A job asks to be run again soon: what it needs is held by somebody else just now."""


def retrying() -> tenacity.Retrying:
    """Repeats a job while the database or a race is at fault: through an outage, else a few times. Raises its error."""
    return tenacity.Retrying(
        stop=_enough,
        wait=tenacity.wait_combine(_pause, tenacity.wait_random(0, 0.1)),
        retry=tenacity.retry_if_exception(_transient),
        reraise=True,
    )


def is_outage(error: BaseException | None) -> bool:
    """The database cannot be reached, or not in time."""
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeout)):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _transient(error: BaseException) -> bool:
    return is_outage(error) or isinstance(error, (StaleDataError, IntegrityError, TryAgain))


def _enough(state: tenacity.RetryCallState) -> bool:
    """An outage of the database is waited out for a quarter of an hour; anything else is tried eight times."""
    if is_outage(_error(state)):
        return (state.seconds_since_start or 0.0) > _WAIT_OUT.total_seconds()
    return state.attempt_number >= _MOST


def _pause(state: tenacity.RetryCallState) -> float:
    pause = float(_doubled(state))
    return min(pause, _LOOK_AGAIN) if is_outage(_error(state)) else pause


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


class ShortSleeps:
    """The module `time`, but for its long sleeps. DBOS's books see it in its place: there pauses are doubled up to a
    minute and a half, for the thread that claims work as for the job that writes down its end.
    """

    @staticmethod
    def sleep(seconds: float) -> None:
        time.sleep(min(seconds, random.uniform(0.75, 1.0) * _LOOK_AGAIN))

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)
