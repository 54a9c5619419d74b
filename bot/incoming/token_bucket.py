"""The one rate limiter that waits for nobody: so much at once, and one more every so often."""

from __future__ import annotations


class TokenBucket:
    """`burst` at once, and one more every `seconds`. Moments are seconds of whatever clock the caller has.

    Not thread-safe: whoever keeps several guards them together.
    """

    __slots__ = ("_at", "_burst", "_left", "_seconds")

    def __init__(self, burst: int, seconds: float, now: float) -> None:
        self._burst, self._seconds = float(burst), seconds
        self._left, self._at = self._burst, now

    def left(self, now: float) -> float:
        """How much may be taken now; fractions are on their way to one more."""
        # A clock that was set back fills nothing; it takes nothing away either.
        passed = max(0.0, now - self._at)
        self._left, self._at = min(self._burst, self._left + passed / self._seconds), now
        return self._left

    def take(self, now: float) -> bool:
        """Take one; False where there is none."""
        if self.left(now) < 1:
            return False
        self._left -= 1
        return True
