"""Paid orders, as the order query and the complaints show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sandbox.wechatpay.times import rfc3339


@dataclass
class Payment:
    """One paid order. Amounts in fen; `taken_fen` counts refunds under way, `refunded_fen` those that arrived."""

    merchant_id: str
    transaction_id: str
    out_trade_no: str
    amount_fen: int
    description: str
    openid: str
    paid_at: datetime
    appid: str
    taken_fen: int = 0
    refunded_fen: int = 0

    @property
    def state(self) -> str:
        return "REFUND" if self.taken_fen else "SUCCESS"

    def as_complained_order(self) -> dict[str, object]:
        return {
            "transaction_id": self.transaction_id,
            "out_trade_no": self.out_trade_no,
            "amount": self.amount_fen,
        }

    def as_json(self) -> dict[str, object]:
        return {
            "appid": self.appid,
            "mchid": self.merchant_id,
            "out_trade_no": self.out_trade_no,
            "transaction_id": self.transaction_id,
            "trade_type": "JSAPI",
            "trade_state": self.state,
            "trade_state_desc": "转入退款" if self.taken_fen else "支付成功",
            "bank_type": "OTHERS",
            "attach": "",
            "success_time": rfc3339(self.paid_at),
            "payer": {"openid": self.openid},
            "amount": {
                "total": self.amount_fen,
                "payer_total": self.amount_fen,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
        }
