"""Whether the process can do its work, and the numbers that tell how it is doing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock
from bot.engine import Engine
from bot.metrics import Metrics
from bot.schedule import Schedule
from bot.unit import Units
from storage.database import Database
from storage.effects import Effects
from storage.inbox import Inbox
from storage.outbox import Outbox
from storage.schedule import Deadlines


def ready(database: Database, engine: Engine, schedule: Schedule, clock: Clock) -> Mapping[str, bool]:
    """Each part and whether it is well; a process that only accepts events has no engine and no schedule."""
    try:
        with database.read() as session:
            session.execute(text("SELECT 1"))
        reachable = True
    except SQLAlchemyError:
        reachable = False
    parts = {"database": reachable}
    if engine.running:
        parts["engine"] = True
        parts["schedule"] = schedule.alive(clock.now())
    return parts


def measure(units: Units, metrics: Metrics) -> None:
    """Set the gauges to what the database says now."""
    now = units.clock.now()
    with units.read() as session:
        for name, (count, oldest) in (("inbox", Inbox(session).waiting()), ("outbox", Outbox(session).waiting())):
            metrics.gauge(f"{name}_waiting", f"Items waiting in the {name}", count)
            age = (now - oldest).total_seconds() if oldest is not None else 0.0
            metrics.gauge(f"{name}_oldest_seconds", f"Age of the oldest item waiting in the {name}", age)
        day, five_minutes = now - timedelta(days=1), now - timedelta(minutes=5)
        failed = Inbox(session).failed(day) + Outbox(session).failed(day)
        metrics.gauge("failed_day", "Items given up in the last 24 h", failed)
        unsettled = Effects(session).unsettled(five_minutes)
        metrics.gauge("effects_unsettled", "Outside calls without an outcome for more than 5 min", unsettled)
        overdue = Deadlines(session).oldest_overdue(now)
        late = (now - overdue).total_seconds() if overdue is not None else 0.0
        metrics.gauge("deadline_overdue_seconds", "How long the oldest missed deadline is overdue", late)
