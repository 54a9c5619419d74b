"""The main path under fire: complaints are worked off while something goes wrong, then the books are compared."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from tests.faults.auditor import Auditor, refunded
from tests.faults.staff import Staff
from tests.faults.stage import NotReached, Stage

NUDGE = timedelta(seconds=35)


def nudged(stage: Stage) -> Callable[[], object]:
    """Let time pass that nobody wants to wait for: the platforms' ladders of repeats, timers of ours."""
    return lambda: stage.sandbox.world.clock.advance(NUDGE)


def settle(stage: Stage, seconds: float = 120) -> list[str]:
    """Wait until nothing moves any more; what the auditor finds then."""
    until = time.monotonic() + seconds
    with closing(auditor(stage)) as books:
        moving, since = books.moving(), time.monotonic()
        while moving and time.monotonic() < until:
            time.sleep(0.1)
            still = books.moving()
            if still != moving:
                moving, since = still, time.monotonic()
            elif time.monotonic() - since > 1.5:
                stage.sandbox.world.clock.advance(NUDGE)
                since = time.monotonic()
        found = books.findings()
        # Cards that change with time alone, and reminders, may have been on their way just now.
        for _ in range(5):
            if not found:
                break
            time.sleep(1.0)
            found = books.findings()
        return found


def auditor(stage: Stage) -> Auditor:
    return Auditor(stage.sandbox, stage.database_url, stage.environment()["MPOPS_SECRET_KEY"])


def whole(stage: Stage, staff: Staff) -> None:
    """Every complaint finished, every customer answered once and paid once, and mpops knows exactly that."""
    stage.moments.choose(lambda where: None)
    found = settle(stage)
    books = stage.sandbox.wechatpay.books()
    for ticket in staff.tickets:
        if stage.sandbox.wechatpay.complaints[ticket.complaint_id].state.value != "PROCESSED":
            found.append(f"{ticket.mark} is not finished")
        if len(books.replies_by_complaint[ticket.complaint_id]) != 1:
            found.append(f"{ticket.mark} was answered {books.replies_by_complaint[ticket.complaint_id]}")
    if refunded(stage.sandbox) != sum(ticket.amount_fen for ticket in staff.tickets):
        found.append(f"refunded were {refunded(stage.sandbox)} fen")
    if stage.deaths:
        found.append(f"the bot died {stage.deaths} times of itself")
    if found:
        raise AssertionError("\n".join([f"struck: {stage.strikes}", *found]))


def run(stage: Stage, chance: random.Random, complaints: int = 1, seconds: float = 240) -> Staff:
    """Some customers complain, and the staff works until all cards say finished."""
    staff = Staff(stage.sandbox, stage.company, chance)
    for _ in range(complaints):
        staff.complaint()
    staff.work_off(seconds, nudged(stage))
    return staff


def working(stage: Stage, staff: Staff, complaints: int) -> threading.Thread:
    """People at work beside what a test does."""
    for _ in range(complaints):
        staff.complaint()
    thread = threading.Thread(target=staff.work_off, args=(300, nudged(stage)), daemon=True)
    thread.start()
    return thread


__all__ = ["NotReached", "auditor", "nudged", "run", "settle", "whole", "working"]
