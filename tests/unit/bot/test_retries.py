"""What is tried again, how often and how soon: an outage is looked for every two seconds, a race a few times."""

from __future__ import annotations

import time
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.jobs.retries import ShortSleeps, TryAgain, retrying

OUTAGE = OperationalError("", {}, Exception("gone"))
RACE = IntegrityError("", {}, Exception("twice"))


def pauses(error: Exception, tries: int) -> list[float]:
    """How long is waited after each try that ends with this error; nobody really waits."""
    slept: list[float] = []
    repeating = retrying()
    repeating.sleep = slept.append
    work = Mock(side_effect=[error] * tries + ["done"])
    assert repeating(work) == "done"
    return slept


def test_whoever_waits_for_the_database_looks_every_two_seconds() -> None:
    slept = pauses(OUTAGE, 40)
    assert slept[0] < 0.3
    assert all(1.9 < pause < 2.2 for pause in slept[6:])


def test_what_somebody_else_holds_is_asked_for_less_and_less_often() -> None:
    slept = pauses(TryAgain(), 7)
    assert slept == sorted(slept)
    assert slept[-1] > 6


@pytest.mark.parametrize("error", [RACE, TryAgain()])
def test_after_eight_tries_it_is_over(error: Exception) -> None:
    repeating = retrying()
    repeating.sleep = lambda seconds: None
    work = Mock(side_effect=error)
    with pytest.raises(type(error)):
        repeating(work)
    assert work.call_count == 8


def test_a_defect_is_not_tried_again() -> None:
    work = Mock(side_effect=ValueError)
    with pytest.raises(ValueError):  # noqa: PT011
        retrying()(work)
    assert work.call_count == 1


def test_long_sleeps_are_short_and_the_clock_is_the_clock() -> None:
    clock, began = ShortSleeps(), time.monotonic()
    clock.sleep(60.0)
    assert 1.4 < time.monotonic() - began < 10
    began = time.monotonic()
    clock.sleep(0.01)
    assert time.monotonic() - began < 1
    assert abs(clock.time() - time.time()) < 1
