"""What the engine's rows are read with: JSON and nothing else, whatever a row says of itself.

Each row of DBOS names the form it is written in, and one of the forms is pickle, which runs what stands in it. Whoever
can write such a row would run code here. So DBOS loses that form for good; a row that asks for it fails alone.
Tried against 3.4.0, which is pinned: `tests/security/test_no_pickle.py` looks at the sources of the one installed.
"""

from __future__ import annotations

import threading
from typing import Any

import structlog
from dbos import DBOSPortableJSONSerializer, _core, _queue, _serialization
from dbos import _dbos as _launching

log = structlog.get_logger("engine")
_begin = _core.execute_dequeued_workflow


class Unpicklable(ValueError):
    """A row says that it is pickled. Nothing of ours is."""

    def __init__(self) -> None:
        super().__init__("this row says that it is pickled, and nothing is ever unpickled here")


def serializer() -> Any:
    return DBOSPortableJSONSerializer()


def _never(self: object, given: object) -> Any:
    raise Unpicklable


def _outcome(error: Exception, serialization: str | None, known: object) -> str:
    """The failure of a row as JSON. DBOS would write it in the row's own form, and leave a row of a form that it does
    not know to be begun again for ever.
    """
    told = _serialization.exception_to_workflow_error_data(error)
    return _serialization.DBOSPortableJSON.serialize(told)


def _begun(dbos: Any, status: Any, owner_xid: str) -> Any:
    """DBOS marks a row that it cannot read as failed; that is said in our log too, with its id."""
    try:
        return _begin(dbos, status, owner_xid)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        log.error("engine.unreadable", id=status["workflow_uuid"], error=type(error).__name__)
        raise


def _no_schedules(stop_event: threading.Event, polling_interval_sec: float) -> None:
    """DBOS's own schedules start work by rows; ours do not stand there (bot/schedule.py), so nobody looks."""


def _replace(owner: type | object, name: str, ours: object) -> None:
    """As assigning does, but only where there is something to replace: a newer DBOS may do it elsewhere."""
    if name not in vars(owner):
        raise RuntimeError(f"this DBOS has no {name}: see bot/jobs/serialization.py before using another version")
    setattr(owner, name, ours)


def forbid_pickle() -> None:
    """For the whole process; before anything is read."""
    _replace(_serialization.DefaultSerializer, "deserialize", _never)
    _replace(_serialization.DefaultSerializer, "serialize", _never)
    _replace(_queue, "execute_dequeued_workflow", _begun)
    _replace(_core, "_serialize_exception_for_persistence", _outcome)
    _replace(_launching, "dynamic_scheduler_loop", _no_schedules)
