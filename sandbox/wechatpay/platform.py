"""The fake WeChat Pay as one object: customers and merchants for the console and for tests, HTTP for merchants."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Response

from sandbox.faults import CallFault
from sandbox.panel import Action, Viewer
from sandbox.platform import Platform
from sandbox.wechatpay import company, routes
from sandbox.wechatpay.books import Books, write_books
from sandbox.wechatpay.customers import Customers
from sandbox.wechatpay.faults import FAULTS, error_answer
from sandbox.wechatpay.page import books_page, page
from sandbox.wechatpay.panel import Panel
from sandbox.wechatpay.pushes import PLATFORM
from sandbox.wechatpay.snapshot import describe


class WeChatPay(Customers, Platform):
    """WeChat Pay with its merchants, orders, complaints and refunds."""

    name = PLATFORM
    title = {"zh": "微信支付", "en": "WeChat Pay"}
    prefixes = ("/v3",)
    faults = FAULTS

    def blueprint(self) -> Blueprint:
        return routes.blueprint(self)

    def error_answer(self, kind: CallFault) -> Response:
        return error_answer(kind)

    def actions(self) -> Mapping[str, Action[Any]]:
        return Panel(self).actions()

    def page(self, who: Viewer) -> Mapping[str, Any]:
        with self.world.lock:
            return page(self.merchants.values())

    def books_page(self) -> Mapping[str, Any]:
        with self.world.lock:
            return books_page(self.snapshot(), self.books())

    def found_company(self) -> Mapping[str, Any]:
        return company.found(self)

    def equip(self, folder: Path) -> None:
        company.equip(self, folder)

    def environment(self) -> Mapping[str, str]:
        return company.environment(self)

    def connect(self, program: str) -> None:
        company.connect(self, program)

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
