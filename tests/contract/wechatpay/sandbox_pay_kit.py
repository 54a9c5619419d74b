"""What the proofs of the WeChat Pay sandbox share: a running sandbox, a place for pushes, and a bare signing client."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from sandbox.server import Sandbox
from sandbox.wechatpay.merchants import Merchant
from sandbox.wechatpay.platform import WeChatPay
from sandbox.world import World


@dataclass(frozen=True)
class Shop:
    """A running sandbox with one merchant of each key mode."""

    url: str
    world: World
    pay: WeChatPay
    public: Merchant
    certified: Merchant
    switching: Merchant


@contextmanager
def open_shop() -> Iterator[Shop]:
    with Sandbox() as sandbox:
        pay = sandbox.wechatpay
        public = pay.add_merchant("1900000109", "示例商城")
        certified = pay.add_merchant("1900000110", "老商城", mode="certificate")
        switching = pay.add_merchant("1900000111", "换钥商城", mode="switching")
        yield Shop(sandbox.url, sandbox.world, pay, public, certified, switching)


@dataclass(frozen=True)
class Pushed:
    headers: Mapping[str, str]
    body: bytes

    def envelope(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


@dataclass
class Receiver:
    """A merchant's notification address; `answers` are given first, 204 afterwards."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[Pushed] = field(default_factory=list)

    def wait(self, count: int, seconds: float = 5.0) -> list[Pushed]:
        until(lambda: len(self.got) >= count, seconds)
        return list(self.got)


@contextmanager
def open_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.answers.pop(0) if receiver.answers else 204
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            receiver.got.append(Pushed(dict(self.headers.items()), body))

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/notify/pay"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


class BareClient:
    """Signs by the book with `cryptography` alone; every part of a request can be spoilt."""

    def __init__(self, shop: Shop, merchant: Merchant) -> None:
        self._shop, self._merchant = shop, merchant
        key = load_pem_private_key(merchant.private_key_pem.encode(), None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self._http = httpx.Client(base_url=shop.url, trust_env=False, verify=False)

    def close(self) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        without: tuple[str, ...] = (),
        age: int = 0,
        serial: str = "",
        merchant_id: str = "",
        signed_body: bytes | None = None,
        authorization: str | None = None,
    ) -> httpx.Response:
        content = raw if raw is not None else b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        timestamp, nonce = str(int(self._shop.world.clock.seconds()) - age), secrets.token_hex(16)
        signed = content if signed_body is None else signed_body
        message = f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + signed + b"\n"
        signature = base64.b64encode(self._key.sign(message, padding.PKCS1v15(), SHA256())).decode()
        sent = {
            "Authorization": f'WECHATPAY2-SHA256-RSA2048 mchid="{merchant_id or self._merchant.id}",'
            f'nonce_str="{nonce}",signature="{signature}",timestamp="{timestamp}",'
            f'serial_no="{serial or self._merchant.serial}"',
            "Accept": "application/json",
            "User-Agent": "bare",
        }
        if content:
            sent["Content-Type"] = "application/json"
        if self._merchant.platform_public_key_id:
            sent["Wechatpay-Serial"] = self._merchant.platform_public_key_id
        if authorization is not None:
            sent["Authorization"] = authorization
        sent.update(headers or {})
        request = self._http.build_request(method, target, content=content, headers=sent)
        for name in without:
            request.headers.pop(name, None)
        return self._http.send(request)

    def get(self, target: str, **spoilt: Any) -> httpx.Response:
        return self.call("GET", target, **spoilt)

    def post(self, target: str, body: object = None, **spoilt: Any) -> httpx.Response:
        return self.call("POST", target, body, **spoilt)

    def refund(self, number: str, transaction_id: str, refund: object, total: object, **more: object) -> httpx.Response:
        body = {
            "transaction_id": transaction_id,
            "out_refund_no": number,
            "amount": {"refund": refund, "total": total, "currency": "CNY"},
            **more,
        }
        return self.post("/v3/refund/domestic/refunds", body)


def signature_is_good(headers: Mapping[str, str], body: bytes, pem: str) -> bool:
    """Check by the book, with a public key or a certificate."""
    if "CERTIFICATE" in pem:
        key = load_pem_x509_certificate(pem.encode()).public_key()
    else:
        key = load_pem_public_key(pem.encode())  # type: ignore[assignment]  # two unions of key kinds, RSA is in both
    assert isinstance(key, rsa.RSAPublicKey)
    message = f"{headers['Wechatpay-Timestamp']}\n{headers['Wechatpay-Nonce']}\n".encode() + body + b"\n"
    try:
        signature = base64.b64decode(headers["Wechatpay-Signature"], validate=True)
        key.verify(signature, message, padding.PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
