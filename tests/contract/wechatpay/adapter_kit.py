"""A sandbox, a merchant in it, and our adapter pointed at it: what all adapter contract tests share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from adapters.account import AccountConfig
from adapters.ports.complaints import ComplaintsPort
from adapters.ports.diagnosis import DiagnosisPort
from adapters.ports.pushes import CallbacksPort, InboundPort
from adapters.ports.refunds import RefundsPort
from adapters.ports.upkeep import UpkeepPort
from adapters.wechatpay.account import assemble
from adapters.wechatpay.client import Patience
from sandbox.faults import CallFault, Fault, PushFault
from sandbox.server import Sandbox
from sandbox.wechatpay.merchants import KeyMode, Merchant

Port = TypeVar("Port")
QUICK = Patience(tries=3, first=0.01, longest=0.1)


@dataclass
class Shop:
    """One merchant with our adapter. `skew` is how far our clock is off."""

    sandbox: Sandbox
    merchant: Merchant
    skew: timedelta = timedelta(0)
    closers: list[Callable[[], None]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.sandbox.world.clock.now() + self.skew

    def config(self, **changes: Any) -> AccountConfig:
        merchant = self.merchant
        known: dict[str, Any] = {
            "key": "pay-main",
            "channel": "wechatpay",
            "base_url": self.sandbox.url,
            "merchant_id": merchant.id,
            "merchant_serial": merchant.serial,
            "private_key": merchant.private_key_pem,
            "api_v3_key": merchant.api_v3_key,
            "platform_public_key_id": merchant.platform_public_key_id,
            "platform_public_key": merchant.platform_public_key_pem,
            "timeout_seconds": 5.0,
        }
        return AccountConfig(**{**known, **changes})

    def port(self, kind: Callable[..., Port], **changes: Any) -> Port:
        """One port of an adapter built anew."""
        return self.ports(**changes)[kind]  # type: ignore[index,return-value]  # a Protocol is no `type[...]` for mypy

    def ports(self, **changes: Any) -> dict[type, object]:
        ports, close = assemble(self.config(**changes), self.now, QUICK)
        self.closers.append(close)
        return dict(ports)

    @property
    def complaints(self) -> ComplaintsPort:
        return self.port(ComplaintsPort)

    @property
    def refunds(self) -> RefundsPort:
        return self.port(RefundsPort)

    @property
    def inbound(self) -> InboundPort:
        return self.port(InboundPort)

    @property
    def callbacks(self) -> CallbacksPort:
        return self.port(CallbacksPort)

    @property
    def upkeep(self) -> UpkeepPort:
        return self.port(UpkeepPort)

    @property
    def diagnosis(self) -> DiagnosisPort:
        return self.port(DiagnosisPort)

    def fault(self, kind: CallFault | PushFault, path: str = "", **more: Any) -> Fault:
        return self.sandbox.world.faults.add(Fault("wechatpay", kind, path, **more))

    def calls(self, path: str = "", method: str = "") -> int:
        return self.sandbox.world.calls.count("wechatpay", path, method)

    def close(self) -> None:
        for close in self.closers:
            close()


def open_shop(sandbox: Sandbox, merchant_id: str, mode: KeyMode = KeyMode.PUBLIC_KEY) -> Shop:
    pay = sandbox.wechatpay
    known = pay.merchants.get(merchant_id)
    return Shop(sandbox, known or pay.add_merchant(merchant_id, "测试商户", mode=mode))


@dataclass(frozen=True)
class Pushed:
    headers: dict[str, str]
    body: bytes


class Mailbox:
    """Receives pushes on a real port and answers as told."""

    def __init__(self) -> None:
        self.pushed: list[Pushed] = []
        self.status = 200
        box = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                box.pushed.append(Pushed(dict(self.headers.items()), body))
                self.send_response(box.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/notify/pay-main"

    def wait(self, count: int = 1, seconds: float = 5.0) -> list[Pushed]:
        until = time.monotonic() + seconds
        while len(self.pushed) < count and time.monotonic() < until:
            time.sleep(0.01)
        assert len(self.pushed) >= count, f"{len(self.pushed)} of {count} pushes came"
        return list(self.pushed)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    try:
        yield box
    finally:
        box.close()


@contextmanager
def shop_in(sandbox: Sandbox, merchant_id: str, mode: KeyMode = KeyMode.PUBLIC_KEY) -> Iterator[Shop]:
    """The shop, with everything that a test may have switched on switched off afterwards."""
    shop = open_shop(sandbox, merchant_id, mode)
    shop.sandbox.wechatpay.limits.enabled = False
    try:
        yield shop
    finally:
        shop.close()
        sandbox.world.faults.clear()
        sandbox.wechatpay.set_notify_url(merchant_id, "")


def eventually(check: Callable[[], bool], seconds: float = 5.0, pause: float = 0.01) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(pause)
