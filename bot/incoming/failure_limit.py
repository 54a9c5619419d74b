"""What to do when requests that prove nothing come in numbers: look at fewer of them, and write fewer lines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bot.incoming.token_bucket import TokenBucket

_BURST = 50
_SECONDS = 0.5


class FailureLimiter:
    """Counts failed proofs of one entrance, whoever sends them: behind a proxy all senders look the same.

    A request that does carry a proof is never turned away for what others do. Thread-safe; time is real time, because
    what is spared is the machine.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._bucket = TokenBucket(_BURST, _SECONDS, clock())
        self._unwritten = 0

    @property
    def is_exceeded(self) -> bool:
        """Whether only requests with a proof in their headers are looked at now."""
        with self._lock:
            return self._bucket.left(self._clock()) < 1

    def failed(self) -> int | None:
        """Count one; how many were not written down since the last line, or None when this one is not either."""
        with self._lock:
            if not self._bucket.take(self._clock()):
                self._unwritten += 1
                return None
            unwritten, self._unwritten = self._unwritten, 0
            return unwritten
