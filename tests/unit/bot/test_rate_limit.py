"""Never more calls in a period than allowed, whatever their order, distance and length."""

from __future__ import annotations

import random
import threading
import time

from bot.outgoing.rate_limit import RateLimiter


def count(calls: list[tuple[float, float]], seconds: float) -> int:
    """The most calls that a platform can have seen within any `seconds`, wherever inside each call it counts."""
    # Worst case: the earlier calls are counted at their end, the later ones at their start.
    return max(sum(start - seconds < end and other <= start for other, end in calls) for start, _ in calls)


def test_no_window_holds_more_than_allowed_from_many_threads() -> None:
    limiter = RateLimiter(lambda: 5, 0.2)
    calls: list[tuple[float, float]] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(8):
            with limiter.acquire("a"):
                start = time.monotonic()
                time.sleep(chance.choice((0.0, 0.0, 0.01, 0.05)))
                calls.append((start, time.monotonic()))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 48
    assert count(calls, 0.2) <= 5
    assert time.monotonic() - began >= 9 * 0.2, "48 calls at 5 a period"


def test_keys_do_not_wait_for_each_other_and_a_burst_goes_at_once() -> None:
    limiter = RateLimiter(lambda: 5, 30.0)
    began = time.monotonic()
    for key in ("a", "b"):
        for _ in range(5):
            with limiter.acquire(key):
                pass
    assert time.monotonic() - began < 5
    waiting = threading.Thread(target=lambda: limiter._begin("a"), daemon=True)
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive(), "the sixth has to wait"


def test_calls_of_another_process_count_once_and_only_where_we_made_none() -> None:
    limiter = RateLimiter(lambda: 2, 0.3)
    limiter.saw("a", [0.1, 0.0, -5.0, 99.0])  # a clock that jumped counts for nothing
    began = time.monotonic()
    with limiter.acquire("a"):
        assert 0.15 < time.monotonic() - began < 5
    limiter.saw("a", [0.0, 0.0])
    with limiter.acquire("b"):
        pass
    assert len(limiter._keys["a"].ended) <= 2


def test_the_limit_may_change_and_keys_do_not_stay_for_ever() -> None:
    most, now = [2], [100.0]
    limiter = RateLimiter(lambda: most[0], 1.0, now=lambda: now[0])
    for number in range(3000):
        with limiter.acquire(f"chat {number}"):
            now[0] += 0.01
    assert len(limiter._keys) < 1000
    for _ in range(2):
        with limiter.acquire("a"):
            pass
    most[0] = 3
    with limiter.acquire("a"):
        pass
    assert len(limiter._keys["a"].ended) == 3
