"""Waiting just before a call where the platform would refuse it for coming too soon.

The platform counts a call somewhere between its start and its answer, so a call counts here until a full period after
its answer: whatever the network does, the platform never sees more than it allows.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_PRUNE = 500  # keys


@dataclass(slots=True)
class _Calls:
    running: int = 0
    ended: deque[float] = field(default_factory=deque)


class RateLimiter:
    """At most `most` calls of one key in any `seconds`, within this process. `most` is asked before every call."""

    def __init__(self, most: Callable[[], int], seconds: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._changed = threading.Condition()
        self._keys: dict[str, _Calls] = {}

    @contextmanager
    def acquire(self, key: str) -> Iterator[None]:
        """Wait until a call may be made; it is made inside."""
        self._begin(key)
        try:
            yield
        finally:
            with self._changed:
                calls = self._keys[key]
                calls.running -= 1
                calls.ended.append(self._now())
                self._changed.notify_all()

    def saw(self, key: str, ages: Iterable[float]) -> None:
        """Count calls that ended that many seconds ago elsewhere, unless this process made some of that key itself."""
        with self._changed:
            calls = self._keys.setdefault(key, _Calls())
            now = self._now()
            self._expire(calls, now)
            if not calls.running and not calls.ended:
                calls.ended.extend(sorted(now - age for age in ages if 0 <= age < self._seconds))

    def _begin(self, key: str) -> None:
        with self._changed:
            while True:
                if len(self._keys) > _PRUNE:
                    self._prune()
                calls = self._keys.setdefault(key, _Calls())
                now = self._now()
                self._expire(calls, now)
                if calls.running + len(calls.ended) < max(1, self._most()):
                    calls.running += 1
                    return
                # Until the oldest one expires, or another call ends before any did.
                self._changed.wait(calls.ended[0] + self._seconds - now if calls.ended else self._seconds)

    def _expire(self, calls: _Calls, now: float) -> None:
        while calls.ended and now - calls.ended[0] >= self._seconds:
            calls.ended.popleft()

    def _prune(self) -> None:
        now = self._now()
        for key, calls in list(self._keys.items()):
            self._expire(calls, now)
            if not calls.running and not calls.ended:
                del self._keys[key]
