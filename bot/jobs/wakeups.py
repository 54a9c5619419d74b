"""Waking the engine's queues as soon as there is work, so that they need not look for it all the time.

The thread of a queue sleeps between two looks. That sleep ends at once when this process committed work for the queue,
when another process says that it did (bot/jobs/notify.py), and when a job of the queue ended, for whose place others
may wait. The look after a pause is the back-up for what nobody told; while the others cannot be heard, pauses are
short.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

_NOTED = "mpops.wakeups"
_STOP_SEEN = 0.25  # seconds after which a sleeping queue sees that it is to stop
_BEGINS_WITHIN = 30.0  # seconds; what has not begun by then takes no place any more


Tell: TypeAlias = Callable[[Session, Sequence[str]], None]


class Wakeups:
    """One alarm for each queue. `gaps`: seconds that two looks are apart at the least, whatever wakes the queue.
    `places`: how many jobs a queue runs at once, where nothing else can keep one waiting.

    `tell` says within a transaction which queues it has work for, so that other processes hear of it. While `informed`
    says that these can be heard, a pause is at least `pause` seconds long.
    """

    def __init__(
        self,
        gaps: Mapping[str, float],
        *,
        places: Mapping[str, int] = MappingProxyType({}),
        tell: Tell | None = None,
        informed: Callable[[], bool] = lambda: True,
        pause: float = 0.0,
    ) -> None:
        self._gaps = gaps
        self._places = places
        self._tell = tell
        self._informed = informed
        self._pause = pause
        self._alarms = {queue: threading.Event() for queue in gaps}
        self._looked_at: dict[str, float] = {}
        self._looking: set[str] = set()
        self._lock = threading.Lock()
        self._claimed: dict[str, tuple[str, float]] = {}  # by id: its queue, and since when

    def wake(self, *queues: str) -> None:
        """There may be work in these queues; in all of them when none is named."""
        for queue in queues or self._alarms:
            if alarm := self._alarms.get(queue):
                alarm.set()

    def after(self, session: Session, queue: str) -> None:
        """Wake the queue when the transaction of this session has ended, however it ends; tell others if it commits."""
        session.info.setdefault(_NOTED, set()).add((self, queue))

    def tell(self, session: Session, queues: Sequence[str]) -> None:
        if self._tell is not None:
            self._tell(session, queues)

    def pause(self, asked: float) -> float:
        """Seconds for which a queue sleeps if nothing wakes it; `asked` is what the engine would have."""
        return max(asked, self._pause) if self._informed() else asked

    def claimed(self, queue: str | None, id: str) -> None:
        """A job was claimed; its thread is about to begin."""
        if queue is not None:
            with self._lock:
                self._claimed[id] = (queue, time.monotonic())

    def not_begun(self, id: str) -> None:
        """Its thread will never begin; its place is free."""
        with self._lock:
            queue, _ = self._claimed.pop(id, ("", 0.0))
        if queue:
            self.wake(queue)

    def watch(self, running: Any) -> None:
        """`running`: DBOS's count of what runs in this process, by which it knows how many places are free.

        A queue is woken when a job of it has ended: it is counted out after its end was written, and only then another
        one may be claimed for its place. While places are free and nobody looks just now, nobody waits for one, and a
        look would find nothing. (Whoever looks has counted before, and takes it for running still.) And what was
        claimed counts before its thread has begun: on a busy machine that takes longer than the next look, which would
        claim more than there are places.
        """
        count_in, count, count_out = running.add, running.count_for_queue, running._remove

        def counted_in(key: str, queue: str | None = None, partition: str | None = None) -> Any:
            with self._lock:  # whoever counts meanwhile would have it twice, or not at all
                entry = count_in(key, queue, partition)
                self._claimed.pop(key, None)
            return entry

        def counted(queue: str) -> int:
            with self._lock:
                return int(count(queue)) + self._about_to_begin(queue)

        def counted_out(key: str, bucket: tuple[str, str | None] | None) -> None:
            queue = bucket[0] if bucket is not None else ""
            with self._lock:
                taken = count(queue) + self._about_to_begin(queue)
                count_out(key, bucket)
                awaited = queue in self._looking or taken >= self._places.get(queue, 0)
            if awaited:
                self.wake(queue)

        running.add, running.count_for_queue, running._remove = counted_in, counted, counted_out

    def _about_to_begin(self, queue: str) -> int:
        lately = time.monotonic() - _BEGINS_WITHIN
        return sum(of == queue and since > lately for of, since in self._claimed.values())

    def sleeping(self, stop: threading.Event, queue: str) -> threading.Event | Sleep:
        """What the thread of that queue may wait for between two looks: `stop` itself for a queue without an alarm."""
        alarm = self._alarms.get(queue)
        if alarm is None:
            return stop
        return Sleep(stop, alarm, self._gaps[queue], self.pause, lambda looking: self._looks(queue, looking))

    def begin(self) -> None:
        """From now on each queue is to be looked at."""
        self._looked_at = dict.fromkeys(self._alarms, time.monotonic())

    def longest_without_a_look(self) -> float:
        """Seconds since the queue was looked at that waits longest for it; 0 before the beginning."""
        return time.monotonic() - min(self._looked_at.values(), default=time.monotonic())

    def _looks(self, queue: str, looking: bool) -> None:
        with self._lock:
            if looking:
                self._looking.add(queue)
            else:
                self._looking.discard(queue)
        self._looked_at[queue] = time.monotonic()


class Sleep:
    """Looks like the event `stop`, but its `wait` also ends, with False, when the alarm goes."""

    def __init__(
        self,
        stop: threading.Event,
        alarm: threading.Event,
        gap: float,
        pause: Callable[[float], float],
        looks: Callable[[bool], None],
    ) -> None:
        self._stop, self._alarm, self._gap, self._pause, self._looks = stop, alarm, gap, pause, looks
        self._looked_at = float("-inf")

    def is_set(self) -> bool:
        return self._stop.is_set()

    def wait(self, timeout: float) -> bool:
        self._looks(False)
        until = time.monotonic() + self._pause(timeout)
        while not self._stop.is_set():
            left = until - time.monotonic()
            if left <= 0 or self._alarm.wait(min(left, _STOP_SEEN)):
                break
        too_soon = self._looked_at + self._gap - time.monotonic()
        if too_soon > 0:
            self._stop.wait(too_soon)
        # Before the look and never after it: what is committed while the queue looks wakes it once more.
        self._alarm.clear()
        self._looked_at = time.monotonic()
        self._looks(True)
        return self._stop.is_set()


@event.listens_for(Session, "before_commit")
def _committing(session: Session) -> None:
    # Not as soon as work is handed over: what is told within a savepoint is lost with it, and the rest would be silent.
    if session.info.get(_NOTED) and not session.in_nested_transaction():
        told: dict[Wakeups, list[str]] = {}
        for wakeups, queue in session.info[_NOTED]:
            told.setdefault(wakeups, []).append(queue)
        for wakeups, queues in told.items():
            wakeups.tell(session, queues)


@event.listens_for(Session, "after_transaction_end")
def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        noted: set[tuple[Wakeups, str]] = session.info.pop(_NOTED, set())
        for wakeups, queue in noted:
            wakeups.wake(queue)
