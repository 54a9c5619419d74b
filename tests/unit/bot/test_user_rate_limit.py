"""How much one person may ask, what strangers get, and what is done when requests prove nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.incoming.failure_limit import FailureLimiter
from bot.incoming.user_rate_limit import UNLIMITED, RateDecision, RateLimit, UserRateLimiter
from bot.telemetry.metrics import Metrics

NOW = datetime(2026, 3, 20, 6, 0, tzinfo=UTC)


class Asking:
    """Somebody who writes on and on; `counted` is what had to go without."""

    def __init__(self, people: RateLimit = RateLimit(20, 2.0), strangers: RateLimit = RateLimit(5, 60.0)) -> None:
        self.counted: list[str] = []
        self.limiter = UserRateLimiter(people, strangers, self.counted.append)
        self.now = NOW
        self._number = 0

    def writes(
        self, times: int = 1, *, who: str = "ou_1", chat: str = "oc_1", stranger: bool = False
    ) -> list[RateDecision]:
        found = []
        for _ in range(times):
            self._number += 1
            id = f"om_{self._number}"
            found.append(self.limiter.message(id, who, chat, is_stranger=stranger, now=self.now))
        return found

    def waits(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_a_burst_is_answered_the_next_is_told_and_the_rest_is_silence() -> None:
    asking = Asking()
    assert asking.writes(20) == [RateDecision.YES] * 20
    assert asking.writes(30) == [RateDecision.SAY_NO, *[RateDecision.SILENT] * 29]
    assert asking.counted == ["message"] * 30
    assert asking.writes(who="ou_2") == [RateDecision.YES], "what one does is not held against another"


def test_one_more_every_two_seconds_and_told_again_only_after_a_rest() -> None:
    asking = Asking()
    asking.writes(21)
    for _ in range(5):
        asking.waits(2)
        assert asking.writes(3) == [RateDecision.YES, RateDecision.SILENT, RateDecision.SILENT]
    asking.waits(60)
    assert asking.writes(21) == [*[RateDecision.YES] * 20, RateDecision.SAY_NO]


def test_clicks_and_messages_are_of_one_measure() -> None:
    asking = Asking()
    assert all(asking.limiter.click("ou_1", NOW) for _ in range(19))
    assert asking.writes(2) == [RateDecision.YES, RateDecision.SAY_NO]
    assert not asking.limiter.click("ou_1", NOW)
    assert asking.counted == ["message", "click"]


def test_strangers_share_what_their_chat_has_and_are_not_told() -> None:
    asking = Asking()
    found = [turn for who in range(30) for turn in asking.writes(3, who=f"ou_{who}", stranger=True)]
    assert found == [*[RateDecision.YES] * 5, *[RateDecision.SILENT] * 85]
    assert asking.writes(stranger=True, who="ou_x", chat="oc_2") == [RateDecision.YES]
    assert asking.writes(who="ou_staff") == [RateDecision.YES], "whoever belongs here is answered all the same"
    assert not asking.limiter.stranger_click("oc_1", NOW)
    asking.waits(60)
    assert asking.writes(2, stranger=True, who="ou_y") == [RateDecision.YES, RateDecision.SILENT]


def test_a_job_that_runs_again_hears_the_same() -> None:
    asking = Asking(RateLimit(1, 60.0))
    asking.writes()
    for _ in range(3):
        assert asking.limiter.message("om_again", "ou_1", "oc_1", is_stranger=False, now=NOW) is RateDecision.SAY_NO
    assert asking.counted == ["message"]


@pytest.mark.parametrize("jump", [-86400.0, -1.0])
def test_a_clock_set_back_gives_nothing_and_takes_nothing(jump: float) -> None:
    asking = Asking()
    asking.writes(10)
    asking.waits(jump)
    assert asking.writes(11) == [*[RateDecision.YES] * 10, RateDecision.SAY_NO]
    asking.waits(2)
    assert asking.writes() == [RateDecision.YES]


def test_without_a_limit_nobody_waits() -> None:
    asking = Asking(UNLIMITED, UNLIMITED)
    assert set(asking.writes(500, stranger=True)) == {RateDecision.YES}


def test_memory_is_bounded_however_many_come() -> None:
    asking = Asking()
    for who in range(12_000):
        asking.writes(who=f"ou_{who}")
    assert len(asking.limiter._buckets) == 10_000
    assert len(asking.limiter._judged) == 2_000


def test_a_crowd_at_the_door_is_written_down_in_part() -> None:
    now = [0.0]
    failures = FailureLimiter(lambda: now[0])
    assert not failures.is_exceeded
    told = [failures.failed() for _ in range(1000)]
    assert told == [*[0] * 50, *[None] * 950]
    assert failures.is_exceeded
    now[0] += 1
    assert not failures.is_exceeded
    assert [failures.failed() for _ in range(3)] == [950, 0, None]


def test_names_that_senders_make_up_are_not_counted_one_by_one_for_ever() -> None:
    metrics = Metrics()
    for number in range(500):
        metrics.received("feishu", f"made.up_{number}", fresh=True)
    metrics.limited("click")
    words = metrics.page().decode()
    assert words.count("mpops_received_total{") == 101
    assert 'mpops_received_total{fresh="yes",kind="other",source="feishu"} 400.0' in words
    assert 'mpops_limited_total{what="click"} 1.0' in words
