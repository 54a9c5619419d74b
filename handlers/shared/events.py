"""What happened in one area and concerns others. Plain values, ids only: whoever listens reads the rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RefundMoved:
    """What is told of a refund has changed. `subject`: the item it belongs to, such as `complaint:7`."""

    refund_id: int
    subject: str


@dataclass(frozen=True, slots=True)
class RefundPaid:
    """The money has arrived. `cause` names this arrival: work that follows from it carries it in its id."""

    refund_id: int
    subject: str
    cause: str
