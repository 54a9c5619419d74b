"""The part of the house itself: working off what came in, sending what waits, due times, and forgetting what is old."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bot.engine import Engine, Payload
from bot.inbox import PROCESS, PROCESS_ALL, InboxWork
from bot.outbox import Delivery
from bot.part import Part
from bot.schedule import DEADLINE, Cron, DeadlineWork, OnDue, Scheduled
from bot.unit import DELIVER, KEEP, Units
from storage.trouble import FailedJobs, ParkedItems

FORGET = "engine.forget"
_KEEP_RECORDS = timedelta(days=3)


def part(
    units: Units, engine: Engine, inbox: InboxWork, delivery: Delivery, owners: Mapping[str, OnDue], zone: str
) -> Part:
    """`owners`: who says what a deadline of their kind does when it is due."""

    def forget(payload: Payload) -> None:
        engine.forget(datetime.now(UTC) - _KEEP_RECORDS)  # the engine's records are in real time
        with units.write("forget") as unit:
            unit.forget(unit.now - KEEP)
            FailedJobs(unit.session).forget(unit.now - KEEP)
            ParkedItems(unit.session).forget(unit.now - KEEP)

    return Part(
        jobs={
            PROCESS: inbox.process,
            PROCESS_ALL: inbox.process_all,
            DELIVER: delivery.deliver,
            DEADLINE: DeadlineWork(units, owners).due,
            FORGET: forget,
        },
        standing=(Scheduled(FORGET, Cron(zone, hour="4", minute="10"), FORGET),),
        sweeps=((1, delivery.sweep), (1, delivery.redraw_due), (10, engine.rescue), (60, inbox.resume)),
    )
