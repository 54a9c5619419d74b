"""Waiting just before a call where the platform would refuse it for coming too soon.

The engine's queues limit when jobs begin, by the same figures; but the time from there to the call differs from job to
job, so two calls can come closer together than their jobs did.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

_PRUNE = 500  # keys


class Pace:
    """At most `most` calls of one key in any `seconds`, within this process."""

    def __init__(
        self,
        most: int,
        seconds: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = {}

    def wait(self, key: str) -> None:
        """Come back when a call may be made; it counts as made at that moment."""
        with self._lock:
            now = self._now()
            if len(self._calls) > _PRUNE:
                self._calls = {each: calls for each, calls in self._calls.items() if calls[-1] > now - self._seconds}
            calls = self._calls.setdefault(key, deque(maxlen=self._most))
            at = max(now, calls[0] + self._seconds) if len(calls) == self._most else now
            calls.append(at)
        if at > now:
            self._sleep(at - now)
