"""The log of everything that crossed the wire, both ways, for the console and for tests."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Call:
    number: int
    at: datetime  # sandbox time
    platform: str
    direction: str  # "in": a client called the sandbox · "out": the sandbox pushed
    method: str
    path: str
    status: int  # 0: no answer
    code: str  # the platform's own code, "" for none
    summary: str
    milliseconds: int


class CallLog:
    def __init__(self, keep: int = 5000) -> None:
        self._calls: deque[Call] = deque(maxlen=keep)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(
        self,
        at: datetime,
        platform: str,
        direction: str,
        method: str,
        path: str,
        status: int,
        code: str = "",
        summary: str = "",
        milliseconds: int = 0,
    ) -> Call:
        with self._lock:
            call = Call(
                next(self._numbers), at, platform, direction, method, path, status, code, summary[:500], milliseconds
            )
            self._calls.append(call)
            return call

    def since(self, number: int = 0, limit: int = 200) -> list[Call]:
        with self._lock:
            return [call for call in self._calls if call.number > number][-limit:]

    def count(self, platform: str, path: str = "", method: str = "", status: int | None = None) -> int:
        """How many incoming calls match; `path` is a part of the path."""
        with self._lock:
            return sum(
                call.direction == "in"
                and call.platform == platform
                and path in call.path
                and (not method or call.method == method)
                and (status is None or call.status == status)
                for call in self._calls
            )
