"""The platform's state as JSON for the console."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.wechatpay.complaints import Complaint
from sandbox.wechatpay.merchants import Merchant
from sandbox.wechatpay.payments import Payment
from sandbox.wechatpay.refunds import Refund

_LONGEST = 2000  # characters of a text that the console gets to see


def describe(
    merchants: Iterable[Merchant],
    complaints: Iterable[Complaint],
    refunds: Iterable[Refund],
    payments: Iterable[Payment],
) -> dict[str, object]:
    """Newest first; times in ISO 8601 UTC, amounts in fen."""
    return {
        "merchants": [
            {
                "id": merchant.id,
                "name": merchant.name,
                "mode": merchant.mode.value,
                "serial": merchant.serial,
                "public_key_id": merchant.platform_public_key_id,
                "balance_fen": merchant.balance_fen,
                "complaint_notify_url": merchant.complaint_notify_url,
                "refund_notify_url": merchant.refund_notify_url,
            }
            for merchant in merchants
        ],
        "complaints": [_complaint(complaint) for complaint in reversed(list(complaints))],
        "refunds": [
            {
                "refund_id": refund.refund_id,
                "out_refund_no": refund.out_refund_no,
                "merchant_id": refund.merchant_id,
                "transaction_id": refund.payment.transaction_id,
                "amount_fen": refund.amount_fen,
                "status": refund.status.value,
                "reason": refund.reason,
                "created_at": refund.created_at.isoformat(),
                "succeeded_at": refund.succeeded_at.isoformat() if refund.succeeded_at else None,
                "create_calls": refund.asked,
            }
            for refund in reversed(list(refunds))
        ],
        "payments": [
            {
                "transaction_id": payment.transaction_id,
                "out_trade_no": payment.out_trade_no,
                "merchant_id": payment.merchant_id,
                "amount_fen": payment.amount_fen,
                "refunded_fen": payment.refunded_fen,
                "description": payment.description,
                "openid": payment.openid,
                "paid_at": payment.paid_at.isoformat(),
            }
            for payment in reversed(list(payments))
        ],
    }


def _complaint(complaint: Complaint) -> dict[str, object]:
    return {
        "id": complaint.id,
        "merchant_id": complaint.merchant_id,
        "created_at": complaint.created_at.isoformat(),
        "state": complaint.state.value,
        "text": complaint.text[:_LONGEST],
        "problem": complaint.problem,
        "problem_type": complaint.problem_type,
        "transaction_id": complaint.payment.transaction_id if complaint.payment else None,
        "amount_fen": complaint.payment.amount_fen if complaint.payment else None,
        "apply_refund_fen": complaint.apply_refund_fen,
        "decision": complaint.decision.value,
        "fully_refunded": complaint.fully_refunded,
        "user_waits": complaint.user_waits,
        "times": complaint.times,
        "platform_assists": complaint.platform_assists,
        "immediate": complaint.immediate,
        "user_tags": list(complaint.user_tags),
        "pictures": len(complaint.media_ids),
        "history": [
            {
                "log_id": record.log_id,
                "at": record.at.isoformat(),
                "operator": record.operator,
                "kind": record.kind,
                "details": record.details[:_LONGEST],
                "pictures": len(record.media_ids),
            }
            for record in complaint.history
        ],
    }
