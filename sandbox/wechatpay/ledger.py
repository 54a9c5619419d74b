"""The money: payments, refunds, balances. Every method is called under the world's lock. docs: 申请退款."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from sandbox.wechatpay.merchants import Merchant
from sandbox.wechatpay.payments import Payment
from sandbox.wechatpay.pushes import Notices
from sandbox.wechatpay.refunds import Refund, RefundRequest, RefundStatus, check_refundable
from sandbox.wechatpay.refusals import Refusal, bad_request
from sandbox.wechatpay.times import aware, stamp
from sandbox.world import World

RefundOutcome = Literal["SUCCESS", "ABNORMAL", "CLOSED", "NOT_ENOUGH", "USER_ACCOUNT_ABNORMAL"]


class Ledger:
    """Books payments and refunds.

    `refund_delay` is how long (sandbox time) a refund stays PROCESSING; `refund_gap` how far apart refunds of one order
    have to be (officially a minute; zero switches the rule off).
    """

    def __init__(self, world: World, notices: Notices, arrived: Callable[[Refund], None]) -> None:
        self._world, self._notices, self._arrived = world, notices, arrived
        self.refund_delay = timedelta(seconds=2)
        self.refund_gap = timedelta(0)
        self.payments: dict[str, Payment] = {}
        self.refunds: dict[tuple[str, str], Refund] = {}
        self.create_calls = 0
        self._outcomes: deque[RefundOutcome] = deque()

    def next_refund(self, outcome: RefundOutcome) -> None:
        """What becomes of the next new refund; asked several times, of the next ones in turn."""
        self._outcomes.append(outcome)

    def pay(
        self, merchant: Merchant, amount_fen: int, description: str, openid: str, paid_at: datetime | None
    ) -> Payment:
        at = aware(paid_at) if paid_at is not None else self._world.clock.now()
        number = len(self.payments) + 1
        payment = Payment(
            merchant_id=merchant.id,
            transaction_id=f"4200{secrets.randbelow(10**6):06d}{stamp(at, '%Y%m%d')}{number:010d}",
            out_trade_no=f"MALL{stamp(at)}{number:06d}",
            amount_fen=amount_fen,
            description=description,
            openid=openid,
            paid_at=at,
            appid="wx8888888888888888",
        )
        self.payments[payment.transaction_id] = payment
        return payment

    def order(self, merchant_id: str, *, transaction_id: str = "", out_trade_no: str = "") -> Payment | None:
        if transaction_id:
            payment = self.payments.get(transaction_id)
            return payment if payment is not None and payment.merchant_id == merchant_id else None
        for payment in self.payments.values():
            if (payment.merchant_id, payment.out_trade_no) == (merchant_id, out_trade_no):
                return payment
        return None

    def create(self, merchant: Merchant, request: RefundRequest) -> Refund:
        """Accept a refund, or answer the one that already has this number."""
        self.create_calls += 1
        known = self.refunds.get((merchant.id, request.out_refund_no))
        if known is not None:
            if not known.same_as(request):
                raise bad_request("订单金额或退款金额与之前请求不一致，请核实后再试")
            known.asked += 1
            return known
        payment = self.order(merchant.id, transaction_id=request.transaction_id, out_trade_no=request.out_trade_no)
        if payment is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        now = self._world.clock.now()
        earlier = [refund for refund in self.refunds.values() if refund.payment is payment]
        check_refundable(payment, earlier, request, now, self.refund_gap)
        outcome = self._outcomes.popleft() if self._outcomes else "SUCCESS"
        if outcome == "USER_ACCOUNT_ABNORMAL":
            raise Refusal(403, "USER_ACCOUNT_ABNORMAL", "退款请求失败，用户账户异常或已注销")
        if outcome == "NOT_ENOUGH" or merchant.balance_fen < request.amount_fen:
            raise Refusal(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")
        refund = Refund(
            refund_id=f"5030{secrets.randbelow(10**6):06d}{stamp(now, '%Y%m%d')}{len(self.refunds) + 1:011d}",
            out_refund_no=request.out_refund_no,
            merchant_id=merchant.id,
            payment=payment,
            amount_fen=request.amount_fen,
            reason=request.reason,
            notify_url=request.notify_url,
            created_at=now,
            outcome=RefundStatus(outcome),
        )
        merchant.balance_fen -= refund.amount_fen
        payment.taken_fen += refund.amount_fen
        self.refunds[merchant.id, refund.out_refund_no] = refund
        self._settle_later(merchant, refund)
        return refund

    def retry_abnormal(self, merchant: Merchant, refund_id: str, out_refund_no: str) -> Refund:
        """Pay an abnormal refund to another account of the customer."""
        refund = self.refunds.get((merchant.id, out_refund_no))
        if refund is None or refund.refund_id != refund_id:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        if refund.status is not RefundStatus.ABNORMAL:
            raise bad_request("退款单状态不是退款异常，不支持发起异常退款")
        refund.status, refund.outcome = RefundStatus.PROCESSING, RefundStatus.SUCCESS
        self._settle_later(merchant, refund)
        return refund

    def _settle_later(self, merchant: Merchant, refund: Refund) -> None:
        self._world.timers.after(self.refund_delay, lambda: self._settle(merchant, refund))

    def _settle(self, merchant: Merchant, refund: Refund) -> None:
        with self._world.lock:
            if refund.status is not RefundStatus.PROCESSING:
                return
            refund.status = refund.outcome
            if refund.status is RefundStatus.SUCCESS:
                refund.succeeded_at = self._world.clock.now()
                refund.payment.refunded_fen += refund.amount_fen
            elif refund.status is RefundStatus.CLOSED:
                refund.payment.taken_fen -= refund.amount_fen
                merchant.balance_fen += refund.amount_fen
            url = refund.notify_url or merchant.refund_notify_url
            self._notices.refund(merchant, url, refund.status.value, refund.as_notice())
            if refund.status is RefundStatus.SUCCESS:
                self._arrived(refund)
            self._world.changed()
