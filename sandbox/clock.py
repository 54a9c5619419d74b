"""The sandbox's own time: it runs with the real clock and can be advanced; timers fire by it."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path


class SandboxClock:
    """Aware UTC time plus an offset.

    The offset (seconds) is also written to `offset_file`, so that another process, the program under test, can live
    in the same time without knowing the sandbox.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset = 0.0
        self._file = offset_file
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._write()

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self._offset, UTC)

    def seconds(self) -> float:
        return time.time() + self._offset

    @property
    def offset(self) -> timedelta:
        return timedelta(seconds=self._offset)

    def advance(self, by: timedelta) -> datetime:
        """Move the clock, back as well as forward; every timer that is now due fires soon after."""
        with self._lock:
            self._offset += by.total_seconds()
            self._write()
        for listener in list(self._listeners):
            listener()
        return self.now()

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def _write(self) -> None:
        if self._file is not None:
            fresh = self._file.with_suffix(".new")
            fresh.write_text(f"{self._offset:.3f}")
            os.replace(fresh, self._file)


@dataclass(order=True)
class _Timer:
    due: float
    order: int
    action: Callable[[], None] = field(compare=False)


class Timers:
    """Runs actions when the sandbox clock reaches them, each in the one timer thread or a short-lived one."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._heap: list[_Timer] = []
        self._count = itertools.count()
        self._wake = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="sandbox-timers", daemon=True)
        clock.on_change(self._notify)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def after(self, delay: timedelta, action: Callable[[], None], since: float | None = None) -> None:
        """Run `action` in a thread of its own once `delay` of sandbox time has passed since now, or since `since`."""
        with self._wake:
            due = (self._clock.seconds() if since is None else since) + delay.total_seconds()
            heapq.heappush(self._heap, _Timer(due, next(self._count), action))
            self._wake.notify_all()

    def _notify(self) -> None:
        with self._wake:
            self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._stopped:
                    return
                now = self._clock.seconds()
                if not self._heap or self._heap[0].due > now:
                    wait = min(self._heap[0].due - now, 1.0) if self._heap else 1.0
                    self._wake.wait(wait)
                    continue
                timer = heapq.heappop(self._heap)
            threading.Thread(target=timer.action, daemon=True).start()
