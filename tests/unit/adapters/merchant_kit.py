"""Keys of a made-up merchant and platform, and a client of ours with them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from adapters.account import AccountConfig
from adapters.transport import Transport
from adapters.wechatpay import crypto
from adapters.wechatpay.client import Client, Patience
from adapters.wechatpay.credentials import Credentials

NOW = datetime(2026, 3, 20, 6, 0, tzinfo=UTC)
API_V3_KEY = "0123456789abcdef0123456789abcdef"
PUBLIC_KEY_ID = "PUB_KEY_ID_0114232134912410000000000000"
SERIAL = "A" * 40


@lru_cache(maxsize=8)
def key(name: str) -> rsa.RSAPrivateKey:
    """The same key for the same name; making one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(name: str) -> str:
    return key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(name: str) -> str:
    return key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def certificate_pem(name: str, serial: int = 0xABCDEF, days: int = 365) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).serial_number(serial)
    builder = builder.not_valid_before(NOW - timedelta(days=400)).not_valid_after(NOW + timedelta(days=days))
    return builder.public_key(key(name).public_key()).sign(key(name), SHA256()).public_bytes(Encoding.PEM).decode()


def conceal(name: str, text: str) -> str:
    oaep = padding.OAEP(mgf=padding.MGF1(SHA1()), algorithm=SHA1(), label=None)
    return base64.b64encode(key(name).public_key().encrypt(text.encode(), oaep)).decode()


def sealed(content: bytes, associated_data: str = "", api_v3_key: str = API_V3_KEY) -> dict[str, str]:
    nonce = os.urandom(6).hex()
    ciphertext = AESGCM(api_v3_key.encode()).encrypt(nonce.encode(), content, associated_data.encode())
    return {
        "algorithm": crypto.SEALED_WITH,
        "nonce": nonce,
        "associated_data": associated_data,
        "ciphertext": base64.b64encode(ciphertext).decode(),
    }


def signed(body: bytes, *, at: datetime = NOW, by: str = "platform", serial: str = PUBLIC_KEY_ID) -> dict[str, str]:
    """The headers of the platform's signature."""
    timestamp = str(int(at.timestamp()))
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": "n" * 32,
        "Wechatpay-Signature": crypto.sign(key(by), crypto.answer_message(timestamp, "n" * 32, body)),
        "Wechatpay-Serial": serial,
    }


def config(**changes: Any) -> AccountConfig:
    known: dict[str, Any] = {
        "key": "pay-main",
        "channel": "wechatpay",
        "merchant_id": "1900000109",
        "merchant_serial": SERIAL,
        "private_key": private_pem("merchant"),
        "api_v3_key": API_V3_KEY,
        "platform_public_key_id": PUBLIC_KEY_ID,
        "platform_public_key": public_pem("platform"),
    }
    return AccountConfig(**{**known, **changes})


class Pauses:
    """Instead of sleeping, remembers for how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@contextmanager
def client_of(url: str, *, pauses: Pauses | None = None, **changes: Any) -> Iterator[Client]:
    settings = config(**changes)
    transport = Transport(
        channel="wechatpay", account="pay-main", base_url=url, timeout=2.0, request_id_header="Request-ID"
    )
    client = Client(
        Credentials(settings),
        transport,
        clock=lambda: NOW,
        fetches_certificates=not settings.platform_public_key,
        nonce=lambda: "0" * 32,
        patience=Patience(tries=3, first=0.01, longest=5.0),
        sleep=pauses or Pauses(),
    )
    try:
        yield client
    finally:
        transport.close()
