"""Never more calls in a second than allowed, whatever the order and distance in which they are asked for."""

from __future__ import annotations

import random
import threading

from bot.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def test_no_window_holds_more_than_allowed() -> None:
    chance = random.Random(7)
    clock = Clock()
    pace = Pace(5, 1.0, clock.now, clock.sleep)
    calls = []
    for _ in range(300):
        clock.at += chance.choice((0.0, 0.0, 0.01, 0.3, 1.2))
        pace.wait("a")
        calls.append(clock.at)
    assert all(later - earlier >= 1.0 - 1e-9 for earlier, later in zip(calls, calls[5:], strict=False))


def test_a_burst_takes_as_long_as_the_limit_says_and_no_longer() -> None:
    clock = Clock()
    pace = Pace(5, 1.0, clock.now, clock.sleep)
    for _ in range(5):
        pace.wait("a")
        pace.wait("b")
    assert clock.at == 100.0
    for _ in range(6):
        pace.wait("a")
    assert clock.at == 102.0
    pace.wait("b")
    assert clock.at == 102.0


def test_many_keys_do_not_stay_for_ever_and_threads_share_one_limit() -> None:
    clock = Clock()
    pace = Pace(2, 1.0, clock.now, clock.sleep)
    for number in range(3000):
        pace.wait(f"chat {number}")
        clock.at += 0.01
    assert len(pace._calls) < 1000

    waited: list[float] = []
    shared = Pace(3, 50.0, lambda: 0.0, waited.append)
    threads = [threading.Thread(target=shared.wait, args=("a",)) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waited) == [50.0] * 3 + [100.0] * 3
