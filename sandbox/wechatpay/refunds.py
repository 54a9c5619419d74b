"""Refunds: one per out_refund_no, checked and booked the way the platform does it.

docs/platforms/wechatpay.md ("Refunds"). Amounts in fen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sandbox.wechatpay.bodies import Body, check_notify_url
from sandbox.wechatpay.payments import Payment
from sandbox.wechatpay.refusals import Refusal, bad_request, wrong_field
from sandbox.wechatpay.times import rfc3339

MOST_PARTS = 50
OFFICIAL_GAP = timedelta(minutes=1)  # between two refunds of one order
REFUNDABLE_FOR = timedelta(days=365)
_KEYS = {"transaction_id", "out_trade_no", "out_refund_no", "reason", "notify_url", "funds_account", "amount"}
_GOODS = {
    "merchant_goods_id",
    "wechatpay_goods_id",
    "goods_name",
    "unit_price",
    "refund_amount",
    "refund_quantity",
}


class RefundStatus(StrEnum):
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    CLOSED = "CLOSED"
    ABNORMAL = "ABNORMAL"


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What a merchant asks for, read and checked as far as this is possible without the order."""

    transaction_id: str
    out_trade_no: str
    out_refund_no: str
    amount_fen: int
    total_fen: int
    reason: str
    notify_url: str

    @classmethod
    def read(cls, raw: bytes) -> RefundRequest:
        body = Body.parse(raw, _KEYS | {"goods_detail"})
        transaction_id = body.text("transaction_id", 32, required=False)
        out_trade_no = body.text("out_trade_no", 32, required=False)
        if bool(transaction_id) == bool(out_trade_no):
            raise wrong_field("/transaction_id", "微信支付订单号和商户订单号须且仅须填写一个")
        out_refund_no = body.text("out_refund_no", 64)
        if not re.fullmatch(r"[0-9A-Za-z_\-|*@]+", out_refund_no):
            raise wrong_field("/out_refund_no", "商户退款单号只能是数字、大小写字母_-|*@", out_refund_no)
        notify_url = body.text("notify_url", 256, required=False)
        if notify_url:
            check_notify_url(notify_url, 256)
        account = body.text("funds_account", 32, required=False)
        if account not in ("", "AVAILABLE", "UNSETTLED"):
            raise wrong_field("/funds_account", "退款资金来源不在枚举范围内", account)
        _check_goods(body)
        amount = body.inner("amount", {"refund", "total", "currency", "from"})
        if amount.text("currency", 16) != "CNY":
            raise wrong_field("/amount/currency", "退款币种只支持CNY")
        refund, total = amount.number("refund", least=1), amount.number("total", least=1)
        _check_sources(amount, refund)
        reason = body.text("reason", 80, required=False)
        return cls(transaction_id, out_trade_no, out_refund_no, refund, total, reason, notify_url)


def _check_goods(body: Body) -> None:
    for goods in body.items("goods_detail", _GOODS):
        goods.text("merchant_goods_id", 32)
        for key in ("unit_price", "refund_amount", "refund_quantity"):
            goods.number(key, least=0)


def _check_sources(amount: Body, refund: int) -> None:
    sources = amount.items("from", {"account", "amount"})
    parts = [(source.text("account", 32), source.number("amount", least=1)) for source in sources]
    if any(account not in ("AVAILABLE", "UNAVAILABLE") for account, _ in parts):
        raise wrong_field("/amount/from", "出资账户类型不在枚举范围内")
    if parts and sum(part for _, part in parts) != refund:
        raise wrong_field("/amount/from", "出资账户金额之和须等于退款金额")


@dataclass
class Refund:
    refund_id: str
    out_refund_no: str
    merchant_id: str
    payment: Payment
    amount_fen: int
    reason: str
    notify_url: str
    created_at: datetime
    status: RefundStatus = RefundStatus.PROCESSING
    outcome: RefundStatus = RefundStatus.SUCCESS  # what it will become
    succeeded_at: datetime | None = None
    asked: int = 1  # create calls with this number, repeats included

    def same_as(self, request: RefundRequest) -> bool:
        return (
            self.amount_fen == request.amount_fen
            and self.payment.amount_fen == request.total_fen
            and self.payment.transaction_id == (request.transaction_id or self.payment.transaction_id)
            and self.payment.out_trade_no == (request.out_trade_no or self.payment.out_trade_no)
        )

    def as_json(self) -> dict[str, object]:
        told: dict[str, object] = {
            "refund_id": self.refund_id,
            "out_refund_no": self.out_refund_no,
            "transaction_id": self.payment.transaction_id,
            "out_trade_no": self.payment.out_trade_no,
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "create_time": rfc3339(self.created_at),
            "status": self.status.value,
            "funds_account": "AVAILABLE",
            "amount": {
                "total": self.payment.amount_fen,
                "refund": self.amount_fen,
                "payer_total": self.payment.amount_fen,
                "payer_refund": self.amount_fen,
                "settlement_refund": self.amount_fen,
                "settlement_total": self.payment.amount_fen,
                "discount_refund": 0,
                "currency": "CNY",
                "refund_fee": 0,
                "from": [],
            },
            "promotion_detail": [],
        }
        if self.succeeded_at is not None:
            told["success_time"] = rfc3339(self.succeeded_at)
        return told

    def as_notice(self) -> dict[str, object]:
        """The notification's content: `refund_status` here, `status` in the API."""
        told: dict[str, object] = {
            "mchid": self.merchant_id,
            "transaction_id": self.payment.transaction_id,
            "out_trade_no": self.payment.out_trade_no,
            "refund_id": self.refund_id,
            "out_refund_no": self.out_refund_no,
            "refund_status": self.status.value,
            "user_received_account": "支付用户零钱",
            "amount": {
                "total": self.payment.amount_fen,
                "refund": self.amount_fen,
                "payer_total": self.payment.amount_fen,
                "payer_refund": self.amount_fen,
            },
        }
        if self.succeeded_at is not None:
            told["success_time"] = rfc3339(self.succeeded_at)
        return told


def check_refundable(
    payment: Payment, earlier: list[Refund], request: RefundRequest, now: datetime, gap: timedelta
) -> None:
    """Refuses a new refund of this order for every reason that lies in the order and its earlier refunds."""
    if request.total_fen != payment.amount_fen:
        raise bad_request("订单金额不一致，请核实后再试")
    if now - payment.paid_at > REFUNDABLE_FOR:
        raise bad_request("订单已经超过可退款的最大期限(支付完成后一年内可退款)")
    if payment.taken_fen + request.amount_fen > payment.amount_fen:
        raise bad_request("申请退款金额超过订单可退金额")
    counted = [refund for refund in earlier if refund.status is not RefundStatus.CLOSED]
    if len(counted) >= MOST_PARTS:
        raise bad_request("订单部分退款次数已达上限，最多50次")
    if gap and counted and now - max(refund.created_at for refund in counted) < gap:
        raise Refusal(429, "FREQUENCY_LIMITED", "同一笔订单的退款申请间隔不能小于1分钟")
