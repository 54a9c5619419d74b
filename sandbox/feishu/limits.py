"""Feishu's rate limits, kept on real time: speeding up the sandbox clock must not lift them.

See docs/platforms/feishu.md ("Message limits and rates").
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque

from sandbox.feishu.errors import Refused


class Window:
    """At most `most` hits in any `seconds`; refused hits do not count."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._hits: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until another hit would be let in; 0 when it is let in now."""
        while self._hits and now - self._hits[0] >= self._seconds:
            self._hits.popleft()
        return self._seconds - (now - self._hits[0]) if len(self._hits) >= self._most else 0.0

    def hit(self, now: float) -> None:
        self._hits.append(now)


class Limits:
    """`enabled` off is for load tests that measure something else."""

    def __init__(self) -> None:
        self.enabled = True
        self._windows: dict[tuple[str, str], tuple[Window, ...]] = {}
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forget every call so far."""
        with self._lock:
            self._windows.clear()

    def api(self, app_id: str, name: str, per_second: int = 50, per_minute: int = 1000) -> None:
        """Raises 99991400 with the seconds to wait, per API and app."""
        wait = self._wait("api", f"{app_id} {name}", ((per_second, 1.0), (per_minute, 60.0)))
        if wait:
            headers = {"x-ogw-ratelimit-limit": str(per_minute), "x-ogw-ratelimit-reset": str(max(1, math.ceil(wait)))}
            raise Refused(99991400, "request trigger frequency limit", 429, headers)

    def to_chat(self, chat_id: str) -> None:
        """Raises 230020 above 5 messages a second to one chat, all bots together."""
        if self._wait("chat", chat_id, ((5, 1.0),)):
            raise Refused(230020, "This operation triggers the frequency limit, ext=chat rate limit")

    def to_message(self, message_id: str) -> None:
        """Raises 230020 above 5 updates a second of one message."""
        if self._wait("message", message_id, ((5, 1.0),)):
            raise Refused(230020, "This operation triggers the frequency limit, ext=message rate limit")

    def _wait(self, kind: str, key: str, bounds: tuple[tuple[int, float], ...]) -> float:
        if not self.enabled:
            return 0.0
        with self._lock:
            windows = self._windows.get((kind, key))
            if windows is None:
                windows = tuple(Window(most, seconds) for most, seconds in bounds)
                self._windows[kind, key] = windows
            now = time.monotonic()
            wait = max(window.wait(now) for window in windows)
            if not wait:
                for window in windows:
                    window.hit(now)
            return wait
