"""Storing what arrives at the same moment in one transaction: a commit costs more than all else of an answer.

Whoever comes while nothing is being stored stores at once, alone. Whoever comes meanwhile waits, and the first of those
then stores for all of them. So it costs nothing while it is quiet, and under load a commit serves many.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from bot.jobs.names import PROCESS, PROCESS_ALL
from bot.unit import Units
from storage.core.inbox import Arrival

_MOST = 16  # in one transaction, and in one job


@dataclass(slots=True, eq=False)
class _Waiting:
    arrival: Arrival
    turn: threading.Event = field(default_factory=threading.Event)
    settled: bool = False
    fresh: bool = False
    error: BaseException | None = None


class BatchWriter:
    """Stores arrivals and hands them over to the inbox's job, both in one transaction."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._lock = threading.Lock()
        self._queue: list[_Waiting] = []
        self._storing = False

    def store(self, arrival: Arrival) -> bool:
        """Comes back once it is durable; False when it was here already. Raises what the database raised."""
        mine = _Waiting(arrival)
        with self._lock:
            self._queue.append(mine)
            leads = not self._storing
            self._storing = True
        if not leads:
            mine.turn.wait()
        if not mine.settled:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.fresh

    def _lead(self) -> None:
        """Store for everybody who waits; our own is the first of them. Then the next one leads."""
        with self._lock:
            together = self._queue[:_MOST]
            del self._queue[:_MOST]
        try:
            _settle(together, self._store)
        except BaseException as error:
            # Nobody may take for stored what was not, whatever stopped it.
            for each in together:
                each.error = each.error or error
        finally:
            with self._lock:
                follower = self._queue[0] if self._queue else None
                self._storing = follower is not None
            for each in together:
                each.settled = True
                each.turn.set()
            if follower is not None:
                follower.turn.set()

    def _store(self, arrivals: Sequence[Arrival]) -> set[str]:
        with self._units.write("intake") as unit:
            fresh = unit.inbox.store_all(arrivals)
            ids = [arrival.id for arrival in arrivals if arrival.id in fresh]
            if len(ids) == 1:
                unit.enqueue(PROCESS, ids[0], {"id": ids[0]})
            elif ids:
                # Named after the first of them: that one was never here, so neither was this job.
                unit.enqueue(PROCESS_ALL, ids[0], {"ids": ids})
        return fresh


def _settle(together: Sequence[_Waiting], store: Callable[[Sequence[Arrival]], set[str]]) -> None:
    """Give everyone their own outcome. What one of them did wrong is not the fault of the others."""
    try:
        fresh = store([each.arrival for each in together])
    except SQLAlchemyError as error:
        if len(together) > 1:
            for each in together:
                _settle([each], store)
        else:
            together[0].error = error
        return
    for each in together:
        each.fresh = each.arrival.id in fresh
        fresh.discard(each.arrival.id)  # the same event twice at once is new only once
