"""What the house itself brings: working off what came in, sending what waits, due times, forgetting what is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.area import Area
from bot.contributions.jobs import Job
from bot.contributions.retention import Retention
from bot.contributions.scheduled import Cron, Scheduled, Sweep
from bot.incoming.processing import InboxProcessing
from bot.jobs.engine import Engine, Payload
from bot.jobs.names import DELIVER, PROCESS, PROCESS_ALL
from bot.outgoing.delivery import Delivery
from bot.schedule import DEADLINE, DeadlineWork
from bot.unit import Units

FORGET = "engine.forget"
_KEEP_RECORDS = timedelta(days=3)


def area(units: Units, engine: Engine, inbox: InboxProcessing, delivery: Delivery, zone: str) -> Area:
    def forget(payload: Payload) -> None:
        engine.forget(datetime.now(UTC) - _KEEP_RECORDS)  # the engine's records are in real time
        with units.write("forget") as unit:
            for retention in units.areas.of(Retention):
                retention.forget(unit, unit.now - retention.keep)

    return Area(
        "house",
        None,
        (
            Job(PROCESS, inbox.process),
            Job(PROCESS_ALL, inbox.process_all),
            Job(DELIVER, delivery.deliver),
            Job(DEADLINE, DeadlineWork(units).due),
            Job(FORGET, forget),
            Scheduled(FORGET, Cron(zone, hour="4", minute="10"), FORGET),
            Sweep(1, delivery.sweep),
            Sweep(1, delivery.refresh_due),
            Sweep(10, engine.rescue),
            Sweep(60, inbox.resume),
            Retention("messages", lambda unit, before: unit.forget(before)),
        ),
    )
