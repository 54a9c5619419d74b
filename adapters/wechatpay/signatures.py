"""Proving that an answer or a notification is the platform's and is fresh. WeChat Pay, 签名验证."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from adapters.wechatpay import crypto

WINDOW_SECONDS = 300


class Distrust(Exception):
    """Why something is not believed; fit for a log, never for the sender."""


def check_signature(
    headers: Mapping[str, str], body: bytes, find: Callable[[str], RSAPublicKey | None], now: datetime
) -> None:
    """Raises Distrust. Header names are in lower case."""
    timestamp, nonce, signature, serial = (
        headers.get(f"wechatpay-{name}", "") for name in ("timestamp", "nonce", "signature", "serial")
    )
    if not (timestamp and nonce and signature and serial):
        raise Distrust("signature headers are missing (a proxy may strip them)")
    if headers.get("wechatpay-signature-type", crypto.SCHEMA) != crypto.SCHEMA:
        raise Distrust("unknown kind of signature")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise Distrust("its timestamp is not a number")
    age = now.timestamp() - int(timestamp)
    if abs(age) >= WINDOW_SECONDS:
        raise Distrust(f"its timestamp is {abs(age):.0f} s {'old' if age > 0 else 'ahead'}; check the clock")
    key = find(serial)
    if key is None:
        raise Distrust(f"signed with {serial[:64]!r}, a key that is not held or has expired")
    if not crypto.verify(key, signature, crypto.answer_message(timestamp, nonce, body)):
        raise Distrust("wrong signature")
