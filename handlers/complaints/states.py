"""How a complaint moves. The table is the documentation; `advance` says what changes and touches nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage.areas.complaints import Progress


class Event(StrEnum):
    REPLIED = "replied"  # an answer of ours reached the customer
    FINISH_ASKED = "finish_asked"
    FINISH_REFUSED = "finish_refused"
    FINISHED = "finished"  # the channel says so
    CONTINUED = "continued"  # the customer complains again: everything starts anew
    REOPENED = "reopened"  # the channel says it is not finished after all


@dataclass(frozen=True, slots=True)
class Step:
    event: Event
    sources: frozenset[Progress]
    target: Progress


_ANY = frozenset(Progress)
_OPEN = frozenset({Progress.WAITING, Progress.ANSWERED, Progress.FINISHING})

STEPS = (
    Step(Event.REPLIED, frozenset({Progress.WAITING, Progress.ANSWERED}), Progress.ANSWERED),
    Step(Event.FINISH_ASKED, frozenset({Progress.ANSWERED}), Progress.FINISHING),
    Step(Event.FINISH_REFUSED, frozenset({Progress.FINISHING}), Progress.ANSWERED),
    Step(Event.FINISHED, _OPEN, Progress.FINISHED),
    Step(Event.CONTINUED, _ANY, Progress.WAITING),
    Step(Event.REOPENED, frozenset({Progress.FINISHED}), Progress.ANSWERED),
)


def advance(progress: Progress, event: Event) -> Progress | None:
    """Where `event` leads from `progress`; None where it may not happen."""
    for step in STEPS:
        if step.event is event and progress in step.sources:
            return step.target
    return None
