"""How a refund moves. No step leads from a state in which money may have moved back to one in which none did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage.areas.refunds import RefundProgress as P


class Event(StrEnum):
    APPROVED = "approved"
    DROPPED = "dropped"  # rejected, withdrawn, expired
    SENT = "sent"  # the call is being made
    TAKEN = "taken"  # the channel took it and works on it
    PAID = "paid"
    REFUSED = "refused"  # the channel says no: nothing moved
    STUCK = "stuck"  # the customer's account cannot take it
    TRIED_AGAIN = "tried_again"  # after a refusal that may have passed


@dataclass(frozen=True, slots=True)
class Step:
    event: Event
    sources: frozenset[P]
    target: P


STEPS = (
    Step(Event.APPROVED, frozenset({P.ASKED}), P.APPROVED),
    Step(Event.DROPPED, frozenset({P.ASKED}), P.DROPPED),
    Step(Event.SENT, frozenset({P.APPROVED, P.SENDING}), P.SENDING),
    # What the channel says of money outranks what we took for a refusal: FAILED is left again when it did move.
    Step(Event.TAKEN, frozenset({P.APPROVED, P.SENDING, P.ABNORMAL, P.FAILED}), P.PROCESSING),
    Step(Event.PAID, frozenset({P.APPROVED, P.SENDING, P.PROCESSING, P.ABNORMAL, P.FAILED}), P.PAID),
    Step(Event.REFUSED, frozenset({P.APPROVED, P.SENDING, P.PROCESSING}), P.FAILED),
    Step(Event.STUCK, frozenset({P.APPROVED, P.SENDING, P.PROCESSING, P.FAILED}), P.ABNORMAL),
    Step(Event.TRIED_AGAIN, frozenset({P.FAILED}), P.APPROVED),
)


def advance(progress: P, event: Event) -> P | None:
    """Where `event` leads from `progress`; None where it may not happen."""
    for step in STEPS:
        if step.event is event and progress in step.sources:
            return step.target
    return None
