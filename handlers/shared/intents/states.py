"""How a request for approval ends: one table for every kind of request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage.areas.approvals import RequestState as S


class Event(StrEnum):
    QUORUM = "quorum"  # enough people agreed
    REJECTED = "rejected"  # one said no
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Step:
    event: Event
    source: S
    target: S


STEPS = (
    Step(Event.QUORUM, S.PENDING, S.APPROVED),
    Step(Event.REJECTED, S.PENDING, S.REJECTED),
    Step(Event.WITHDRAWN, S.PENDING, S.WITHDRAWN),
    Step(Event.EXPIRED, S.PENDING, S.EXPIRED),
)


def advance(state: S, event: Event) -> S | None:
    """Where `event` leads from `state`; None where it may not happen. A decision is final."""
    return next((step.target for step in STEPS if step.event is event and step.source is state), None)
