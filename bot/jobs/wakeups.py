"""Waking the engine's queues as soon as there is work, so that they need not look for it all the time.

The thread of a queue sleeps between two looks. That sleep ends at once when this process committed work for the queue,
and when a job of the queue ended, for whose place others may wait. What other processes commit is found by the next
look: the pause between looks is the longest that such work waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

_NOTED = "mpops.wakeups"
_STOP_SEEN = 0.25  # seconds after which a sleeping queue sees that it is to stop
_BEGINS_WITHIN = 30.0  # seconds; what has not begun by then takes no place any more


class Wakeups:
    """One alarm for each queue. `gaps`: seconds that two looks are apart at the least, whatever wakes the queue."""

    def __init__(self, gaps: Mapping[str, float]) -> None:
        self._gaps = gaps
        self._alarms = {queue: threading.Event() for queue in gaps}
        self._lock = threading.Lock()
        self._claimed: dict[str, tuple[str, float]] = {}  # by id: its queue, and since when

    def wake(self, *queues: str) -> None:
        """There may be work in these queues; in all of them when none is named."""
        for queue in queues or self._alarms:
            if alarm := self._alarms.get(queue):
                alarm.set()

    def after(self, session: Session, queue: str) -> None:
        """Wake the queue when the transaction of this session has ended, however it ends."""
        session.info.setdefault(_NOTED, set()).add((self, queue))

    def claimed(self, queue: str | None, id: str) -> None:
        """A job was claimed; its thread is about to begin."""
        if queue is not None:
            with self._lock:
                self._claimed[id] = (queue, time.monotonic())

    def begun(self, id: str) -> None:
        """Its thread has begun, or it never will."""
        with self._lock:
            self._claimed.pop(id, None)

    def watch(self, running: Any) -> None:
        """`running`: DBOS's count of what runs in this process, by which it knows how many places are free.

        A queue is woken when a job of it has ended: it is counted out after its end was written, and only then another
        one may be claimed for its place. And what was claimed counts before its thread has begun: on a busy machine
        that takes longer than the next look, which would claim more than there are places.
        """
        count_in, count, count_out = running.add, running.count_for_queue, running._remove

        def counted_in(key: str, queue: str | None = None, partition: str | None = None) -> Any:
            entry = count_in(key, queue, partition)
            self.begun(key)  # for a moment it counts twice, which only makes the queue wait
            return entry

        def counted(queue: str) -> int:
            return int(count(queue)) + self._about_to_begin(queue)

        def counted_out(key: str, bucket: tuple[str, str | None] | None) -> None:
            count_out(key, bucket)
            if bucket is not None:
                self.wake(bucket[0])

        running.add, running.count_for_queue, running._remove = counted_in, counted, counted_out

    def _about_to_begin(self, queue: str) -> int:
        lately = time.monotonic() - _BEGINS_WITHIN
        with self._lock:
            return sum(of == queue and since > lately for of, since in self._claimed.values())

    def sleeping(self, stop: threading.Event, queue: str) -> threading.Event | Sleep:
        """What the thread of that queue may wait for between two looks: `stop` itself for a queue without an alarm."""
        alarm = self._alarms.get(queue)
        return stop if alarm is None else Sleep(stop, alarm, self._gaps[queue])


class Sleep:
    """Looks like the event `stop`, but its `wait` also ends, with False, when the alarm goes."""

    def __init__(self, stop: threading.Event, alarm: threading.Event, gap: float) -> None:
        self._stop, self._alarm, self._gap = stop, alarm, gap
        self._looked_at = float("-inf")

    def is_set(self) -> bool:
        return self._stop.is_set()

    def wait(self, timeout: float) -> bool:
        until = time.monotonic() + timeout
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
        return self._stop.is_set()


@event.listens_for(Session, "after_transaction_end")
def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        noted: set[tuple[Any, str]] = session.info.pop(_NOTED, set())
        for wakeups, queue in noted:
            wakeups.wake(queue)
