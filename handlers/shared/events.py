"""What happened in one area and concerns others. Plain values with ids only: whoever listens reads the rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RefundMoved:
    """A refund was asked for, decided, sent or settled. `subject`: the item it belongs to, such as `complaint:7`."""

    refund_id: int
    subject: str


@dataclass(frozen=True, slots=True)
class RefundPaid:
    """The money has arrived. `cause` is told only once of each time that this happens to a refund."""

    refund_id: int
    subject: str
    cause: str
