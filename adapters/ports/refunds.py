"""Refunds: made once, and asked about."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from adapters.values import Objection, RefundDetails


@runtime_checkable
class RefundsPort(Protocol):
    """Money back to a customer. `out_refund_no` is the idempotency key: the same number never pays twice."""

    def check_reason(self, text: str) -> Objection | None:
        """Why the platform would refuse this reason of a refund (the customer reads it); None if it would not."""
        ...

    def create(
        self,
        *,
        out_refund_no: str,
        transaction_id: str,
        amount_fen: int,
        total_fen: int,
        reason: str,
        merchant_id: str = "",
    ) -> RefundDetails:
        """Pay `amount_fen` of a payment of `total_fen` back. Accepted is not paid: the state tells.

        `merchant_id` is the one that was paid, when it is not the account's own. Never repeated by itself: after
        OutcomeUnknown ask `query`, then repeat with the same number and the same amounts.
        """
        ...

    def query(self, out_refund_no: str, merchant_id: str = "") -> RefundDetails:
        """Raises NotFound when the platform has no refund of that number."""
        ...
