"""How the house stands, what is stuck in it, and what was done in it; and who is told of a job that was given up."""

from __future__ import annotations

from bot.area import Area
from bot.contributions.cards import CardKind
from bot.contributions.jobs import Job
from bot.contributions.retention import Retention
from bot.incoming.processing import InboxProcessing
from bot.jobs.engine import OnFailure, Payload
from bot.jobs.names import DELIVER, PROCESS
from bot.texts import text
from handlers.shared.house import House
from handlers.status.audit_card import AUDIT, draw_audit
from handlers.status.cards import STATUS, draw_status
from handlers.status.commands import CLICKS, COMMANDS
from handlers.status.permissions import SPECS
from handlers.status.repair import RETRY, FailedWork
from storage.core.failed_jobs import FailedJobs
from storage.core.parked_items import ParkedItems


def area(house: House) -> Area:
    return Area(
        "status",
        text("help.area.status"),
        (
            *SPECS,
            *COMMANDS,
            *CLICKS,
            CardKind(STATUS, draw_status),
            CardKind(AUDIT, draw_audit),
            Job(RETRY, FailedWork(house.units).again),
            Retention("failed jobs", lambda unit, before: unit.of(FailedJobs).forget(before)),
            Retention("parked items", lambda unit, before: unit.of(ParkedItems).forget(before)),
        ),
    )


def given_up(inbox: InboxProcessing, failed_work: FailedWork) -> OnFailure:
    """For `InstrumentedEngine.when_failed`."""

    def tell(job: str, payload: Payload, incident: str) -> None:
        if job == PROCESS:
            inbox.failed(str(payload["id"]), incident)
        elif job != DELIVER:  # the outbox tries by itself
            failed_work.failed(job, payload, incident)

    return tell
