"""Storing what arrives at the same moment in one transaction: a commit costs more than all else of an answer.

Whoever comes while nothing is being stored stores at once, alone. Whoever comes meanwhile waits, and the first of those
then stores for all of them. So it costs nothing while it is quiet, and under load a commit serves many.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from bot.jobs.engine import URGENT, USUAL
from bot.jobs.names import PROCESS, PROCESS_ALL
from bot.jobs.retries import is_outage
from bot.unit import Unit, Units
from storage.core.inbox import Arrival

_MOST = 64  # in one transaction, if ever so many threads wait
_IN_A_JOB = 4  # a job keeps a place of its queue until the last of them is worked off, and people wait for places


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
            # One that came twice at once is one: else two jobs could have its name, and the second would be none.
            new = {one.id: one.is_urgent for one in arrivals if one.id in fresh and not one.unhandled}
            for urgent in (True, False):
                ids = [id for id, is_urgent in new.items() if is_urgent is urgent]
                for start in range(0, len(ids), _IN_A_JOB):
                    self._hand_over(unit, ids[start : start + _IN_A_JOB], URGENT if urgent else USUAL)
        return fresh

    def _hand_over(self, unit: Unit, ids: list[str], priority: int) -> None:
        if len(ids) == 1:
            unit.enqueue(PROCESS, ids[0], {"id": ids[0]}, priority=priority)
        else:
            # Named after the first of them: that one was never here, so neither was this job.
            unit.enqueue(PROCESS_ALL, ids[0], {"ids": ids}, priority=priority)


def _settle(together: Sequence[_Waiting], store: Callable[[Sequence[Arrival]], set[str]]) -> None:
    """Give everyone their own outcome. What one of them did wrong is not the fault of the others."""
    try:
        fresh = store([each.arrival for each in together])
    except SQLAlchemyError as error:
        if len(together) > 1 and not is_outage(error):
            for each in together:
                _settle([each], store)
            return
        # Where the database is away, one after the other would only wait as long again for the same answer.
        for each in together:
            each.error = error
        return
    for each in together:
        each.fresh = each.arrival.id in fresh
        fresh.discard(each.arrival.id)  # the same event twice at once is new only once
