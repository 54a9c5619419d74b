"""What the status brings to the house, and who is told of a job that was given up."""

from __future__ import annotations

from bot.engine import OnFailure, Payload
from bot.inbox import PROCESS, InboxWork
from bot.part import Part
from bot.unit import DELIVER
from handlers.status.mending import RETRY, FailedWork
from handlers.status.showing import STATUS, draw_status
from handlers.status.table import AUDIT, CLICKABLES, COMMANDS, draw_audit


def part(failed_work: FailedWork) -> Part:
    return Part(
        commands=COMMANDS,
        clickables=CLICKABLES,
        drawings={STATUS: draw_status, AUDIT: draw_audit},
        jobs={RETRY: failed_work.again},
    )


def given_up(inbox: InboxWork, failed_work: FailedWork) -> OnFailure:
    """For `TrackedEngine.when_failed`."""

    def tell(job: str, payload: Payload, incident: str) -> None:
        if job == PROCESS:
            inbox.failed(str(payload["id"]), incident)
        elif job != DELIVER:  # the outbox tries by itself
            failed_work.failed(job, payload, incident)

    return tell
