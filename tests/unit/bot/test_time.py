"""Clocks, and when scheduled work is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock import OffsetClock, SystemClock
from bot.contributions.scheduled import Cron

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHANGHAI, BERLIN = "Asia/Shanghai", "Europe/Berlin"


def at(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc,arg-type]  # year, month, day ...


def test_the_system_clock_is_aware_utc() -> None:
    assert abs(SystemClock().now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert SystemClock().now().tzinfo is UTC


def test_an_offset_in_a_file_moves_the_clock_whenever_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    clock = OffsetClock(file)

    def off() -> float:
        return round((clock.now() - datetime.now(UTC)).total_seconds())

    assert off() == 0, "no file yet"
    for written, seconds in (("14400", 14400), ("-30.4", -30), ("", 0), ("90", 90)):
        replace(file, written)
        assert off() == seconds
    replace(file, "half writ")
    assert off() == 90, "what was read last still holds"
    replace(file, "120")
    assert off() == 120
    file.unlink()
    assert off() == 120


def replace(file: Path, words: str) -> None:
    import os

    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(words)
    os.utime(file, ns=(before + 1_000_000, before + 1_000_000))  # a clock of files may be coarse


DAILY = Cron(SHANGHAI, hour="9", minute="0")


def test_a_run_is_due_once_its_moment_has_come() -> None:
    nine = at(SHANGHAI, 2026, 3, 2, 9)
    assert DAILY.latest(nine - HOUR, nine - timedelta(seconds=1)) is None
    assert DAILY.latest(nine - HOUR, nine) == nine
    assert DAILY.latest(nine, nine + HOUR) is None, "it ran: its own moment does not count again"
    assert DAILY.latest(nine - timedelta(microseconds=1), nine) in (None, nine)


@pytest.mark.parametrize("missed", [1, 2, 5, 400])
def test_of_many_missed_runs_the_newest_is_made_up(missed: int) -> None:
    nine = at(SHANGHAI, 2026, 3, 2, 9)
    assert DAILY.latest(nine - missed * DAY, nine + HOUR) == nine
    assert DAILY.latest(nine - missed * DAY, nine + HOUR).tzinfo is not None  # type: ignore[union-attr]  # as above


def test_a_clock_that_jumped_back_runs_nothing() -> None:
    nine = at(SHANGHAI, 2026, 3, 2, 9)
    assert DAILY.latest(nine, nine - 3 * DAY) is None
    assert DAILY.latest(nine, nine) is None


def test_every_five_minutes() -> None:
    cron = Cron(SHANGHAI, minute="*/5")
    start = at(SHANGHAI, 2026, 3, 2, 9, 1)
    assert cron.latest(start, start + timedelta(minutes=3)) is None
    assert cron.latest(start, start + timedelta(minutes=4)) == start + timedelta(minutes=4)
    assert cron.latest(start, start + timedelta(minutes=18)) == start + timedelta(minutes=14)


def test_the_hour_is_of_the_zone() -> None:
    cron = Cron("America/New_York", hour="9")
    assert cron.latest(at("UTC", 2026, 1, 5, 0), at("UTC", 2026, 1, 5, 23)) == at("UTC", 2026, 1, 5, 14)
    assert cron.latest(at("UTC", 2026, 7, 6, 0), at("UTC", 2026, 7, 6, 23)) == at("UTC", 2026, 7, 6, 13)


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe"])
def test_runs_of_days_around_a_change_of_the_clock_are_one_a_day(zone: str) -> None:
    """Ticking every twenty minutes over the days of spring and autumn: one run each day at nine."""
    cron = Cron(zone, hour="9")
    for start in (at(zone, 2026, *day) for day in ((3, 6), (3, 26), (4, 2), (10, 1), (10, 22), (10, 30))):
        last, runs = start, []
        moment = start
        while moment < start + 5 * DAY:
            if (due := cron.latest(last, moment)) is not None:
                runs.append(due.astimezone(ZoneInfo(zone)))
                last = due
            moment += timedelta(minutes=20)
        assert [(run.hour, run.minute) for run in runs] == [(9, 0)] * 5
        assert len({run.date() for run in runs}) == 5


def test_every_five_minutes_goes_on_while_the_clocks_go_back() -> None:
    """The hour from two to three comes twice; the schedule must neither stand still nor skip."""
    cron = Cron(BERLIN, minute="*/5")
    first = at("UTC", 2026, 10, 24, 23, 0)
    for minutes in range(0, 240, 5):
        moment = first + timedelta(minutes=minutes)
        assert cron.latest(moment - timedelta(minutes=5), moment + timedelta(minutes=4)) == moment


def test_a_moment_that_does_not_exist_or_comes_twice_is_run_at_least_once_and_at_most_twice() -> None:
    cron = Cron(BERLIN, hour="2", minute="30")
    for day, most in ((at(BERLIN, 2026, 3, 29), 1), (at(BERLIN, 2026, 10, 25), 2)):
        last, runs, moment = day, 0, day
        while moment < day + DAY:
            if (due := cron.latest(last, moment)) is not None:
                last, runs = due, runs + 1
            moment += timedelta(minutes=10)
        assert runs <= most
        next_day = cron.latest(last, day + 2 * DAY)
        assert next_day is not None, "and the day after goes on"


@settings(max_examples=60, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(0), timedelta(days=10)),
    st.sampled_from([SHANGHAI, BERLIN, "America/New_York"]),
    st.integers(0, 23),
)
def test_what_is_due_lies_between_and_nothing_newer_does(
    after: datetime, span: timedelta, zone: str, hour: int
) -> None:
    cron = Cron(zone, hour=str(hour), minute="15")
    until = after + span
    found = cron.latest(after, until)
    if found is None:
        assert span <= timedelta(days=2, hours=2), "in two days there is always one"
        return
    assert after < found <= until
    assert found.astimezone(ZoneInfo(zone)).minute == 15
    assert cron.latest(found, until) is None
