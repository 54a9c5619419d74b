"""Calls a minute, by merchant and kind of call. docs/platforms/wechatpay.md ("Limits and rates")."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque

from sandbox.wechatpay.refusals import Refusal

OFFICIAL = {"reply": 60, "list": 200, "history": 200, "upload": 60, "complete": 1500}


class Limits:
    """A sliding minute of real time: a jump of the sandbox clock gives nobody new calls. Thread-safe."""

    def __init__(self) -> None:
        self.enabled = True
        self.per_minute: dict[str, int] = dict(OFFICIAL)
        self._calls: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def count(self, merchant_id: str, kind: str) -> None:
        """Raises the platform's 429 when the minute is full; a refused call does not count."""
        most = self.per_minute.get(kind)
        if not self.enabled or most is None:
            return
        now = time.monotonic()
        with self._lock:
            calls = self._calls[merchant_id, kind]
            while calls and calls[0] <= now - 60:
                calls.popleft()
            if len(calls) >= most:
                raise too_many()
            calls.append(now)


def too_many() -> Refusal:
    return Refusal(429, "FREQUENCY_LIMITED", "频率限制，请稍后重试")


def system_error() -> Refusal:
    return Refusal(500, "SYSTEM_ERROR", "系统异常，请稍后重试")
