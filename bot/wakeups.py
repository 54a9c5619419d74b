"""Waking the engine's queues as soon as there is work, so that they need not look for it all the time.

The thread of a queue sleeps between two looks. That sleep ends at once when this process committed work for the queue,
and when the end of a job was written, which may have held up others. What other processes commit is found by the next
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


class Wakeups:
    """One alarm for each of the queues. `held_up_from`: with how many jobs running here others may wait for a place."""

    def __init__(self, held_up_from: Mapping[str, int]) -> None:
        self._alarms = {queue: threading.Event() for queue in held_up_from}
        self._held_up_from = held_up_from

    def wake(self, *queues: str) -> None:
        """There may be work in these queues; in all of them when none is named."""
        for queue in queues or self._alarms:
            if alarm := self._alarms.get(queue):
                alarm.set()

    def after(self, session: Session, queue: str) -> None:
        """Wake the queue when the transaction of this session has ended, however it ends."""
        session.info.setdefault(_NOTED, set()).add((self, queue))

    def at_ends(self, running: Any) -> None:
        """Wake who waits for a place when one is free. `running`: DBOS's count of what runs in this process.

        A job is counted out after its end was written; only then another one may be claimed for its place.
        """
        count_out = running._remove

        def counted_out(key: str, bucket: tuple[str, str | None] | None) -> None:
            queue = bucket[0] if bucket is not None else ""
            least = self._held_up_from.get(queue)
            waited_for = least is not None and running.count_for_queue(queue) >= least
            count_out(key, bucket)
            if waited_for:
                self.wake(queue)

        running._remove = counted_out

    def sleeping(self, stop: threading.Event, queue: str) -> threading.Event | Sleep:
        """What the thread of that queue may wait for between two looks: `stop` itself for a queue without an alarm."""
        alarm = self._alarms.get(queue)
        return stop if alarm is None else Sleep(stop, alarm)


class Sleep:
    """Looks like the event `stop`, but its `wait` also ends, with False, when the alarm goes."""

    def __init__(self, stop: threading.Event, alarm: threading.Event) -> None:
        self._stop, self._alarm = stop, alarm

    def is_set(self) -> bool:
        return self._stop.is_set()

    def wait(self, timeout: float) -> bool:
        until = time.monotonic() + timeout
        while not self._stop.is_set():
            left = until - time.monotonic()
            if left <= 0 or self._alarm.wait(min(left, _STOP_SEEN)):
                break
        # Before the look and never after it: what is committed while the queue looks wakes it once more.
        self._alarm.clear()
        return self._stop.is_set()


@event.listens_for(Session, "after_transaction_end")
def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        noted: set[tuple[Any, str]] = session.info.pop(_NOTED, set())
        for wakeups, queue in noted:
            wakeups.wake(queue)
