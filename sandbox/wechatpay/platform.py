"""The fake WeChat Pay as one object: customers and merchants for the console and for tests, HTTP for merchants."""

from __future__ import annotations

from flask import Blueprint, Response

from sandbox.faults import CallFault
from sandbox.wechatpay import routes
from sandbox.wechatpay.books import Books, write_books
from sandbox.wechatpay.customers import Customers
from sandbox.wechatpay.limits import system_error, too_many
from sandbox.wechatpay.snapshot import describe
from sandbox.wechatpay.wire import refusal_answer


class WeChatPay(Customers):
    """WeChat Pay with its merchants, orders, complaints and refunds."""

    def blueprint(self) -> Blueprint:
        return routes.blueprint(self)

    def error_answer(self, kind: CallFault) -> Response:
        """What the platform says when it is told to fail."""
        return refusal_answer(too_many() if kind is CallFault.TOO_MANY else system_error())

    def books(self) -> Books:
        with self.world.lock:
            return write_books(
                self.ledger.payments.values(),
                self.complaints.values(),
                self.ledger.refunds.values(),
                self.ledger.create_calls,
            )

    def snapshot(self) -> dict[str, object]:
        """The state as JSON for the console; holds no keys."""
        with self.world.lock:
            return describe(
                self.merchants.values(),
                self.complaints.values(),
                self.ledger.refunds.values(),
                self.ledger.payments.values(),
            )
