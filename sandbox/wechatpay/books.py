"""What really happened, for whoever audits the program under test. Amounts in fen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sandbox.wechatpay.complaints import Complaint
from sandbox.wechatpay.payments import Payment
from sandbox.wechatpay.refunds import Refund, RefundStatus


@dataclass(frozen=True, slots=True)
class RefundLine:
    out_refund_no: str
    refund_id: str
    merchant_id: str
    transaction_id: str
    amount_fen: int
    status: str
    create_calls: int  # with this number, repeats included


@dataclass(frozen=True, slots=True)
class Books:
    """The auditor's view: every refund, every reply, every completion."""

    refunds: tuple[RefundLine, ...]
    refund_create_calls: int  # every create call that reached the books, refused ones included
    refunded_fen: int  # reached the customers
    under_way_fen: int
    refunds_by_transaction: Mapping[str, tuple[str, ...]]  # transaction_id → out_refund_no
    refunded_by_complaint: Mapping[str, int]
    replies_by_complaint: Mapping[str, tuple[str, ...]]
    completions_by_complaint: Mapping[str, int]
    decisions_by_complaint: Mapping[str, tuple[str, ...]]  # operate_type of every decision


def write_books(
    payments: Iterable[Payment], complaints: Iterable[Complaint], refunds: Iterable[Refund], create_calls: int
) -> Books:
    kept = list(refunds)
    tickets = list(complaints)
    by_transaction: dict[str, tuple[str, ...]] = {payment.transaction_id: () for payment in payments}
    for refund in kept:
        by_transaction[refund.payment.transaction_id] += (refund.out_refund_no,)
    return Books(
        refunds=tuple(
            RefundLine(
                refund.out_refund_no,
                refund.refund_id,
                refund.merchant_id,
                refund.payment.transaction_id,
                refund.amount_fen,
                refund.status.value,
                refund.asked,
            )
            for refund in kept
        ),
        refund_create_calls=create_calls,
        refunded_fen=_sum(kept, RefundStatus.SUCCESS),
        under_way_fen=_sum(kept, RefundStatus.PROCESSING) + _sum(kept, RefundStatus.ABNORMAL),
        refunds_by_transaction=by_transaction,
        refunded_by_complaint={
            ticket.id: ticket.payment.refunded_fen if ticket.payment is not None else 0 for ticket in tickets
        },
        replies_by_complaint={
            ticket.id: tuple(
                str(record.normal_message) if record.normal_message is not None else record.details
                for record in ticket.history
                if record.kind == "MERCHANT_RESPONSE"
            )
            for ticket in tickets
        },
        completions_by_complaint={
            ticket.id: sum(record.kind == "MERCHANT_CONFIRM_COMPLETE" for record in ticket.history)
            for ticket in tickets
        },
        decisions_by_complaint={
            ticket.id: tuple(
                record.kind
                for record in ticket.history
                if record.kind in ("MERCHANT_APPROVE_REFUND", "MERCHANT_REFUSE_RERUND")
            )
            for ticket in tickets
        },
    )


def _sum(refunds: Iterable[Refund], status: RefundStatus) -> int:
    return sum(refund.amount_fen for refund in refunds if refund.status is status)
