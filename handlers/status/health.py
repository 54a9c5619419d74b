"""Whether the process can do its work."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock
from bot.jobs.engine import Engine
from bot.schedule import Schedule
from bot.telemetry.heartbeat import LastWrite
from storage.core.executor_lock import ExecutorLock
from storage.database import Database


def ready(
    database: Database,
    engine: Engine,
    schedule: Schedule,
    clock: Clock,
    executor_lock: ExecutorLock,
    leaving: threading.Event,
    last_write: LastWrite,
) -> Mapping[str, bool]:
    """Each part and whether it is well; a process that only accepts events has no engine and no schedule.

    Told only when they are not: `name`, another process works under the name of this one; `staying`, it is stopping;
    `writing`, the database can be read, but nothing was written for a while, as on a full disk.
    """
    if leaving.is_set():
        return {"staying": False}
    try:
        with database.read() as session:
            session.execute(text("SELECT 1"))
        reachable = True
    except SQLAlchemyError:
        reachable = False
    parts = {"database": reachable}
    if not last_write.is_recent:
        parts["writing"] = False
    if engine.running:
        parts["engine"] = engine.looks_for_work
        parts["schedule"] = schedule.alive(clock.now())
        if not executor_lock.held:
            parts["name"] = False
    return parts
