"""Feishu's encryption and signature of event bodies, both ways. See docs/platforms/feishu.md ("Encryption")."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

TIMESTAMP = "X-Lark-Request-Timestamp"
NONCE = "X-Lark-Request-Nonce"
SIGNATURE = "X-Lark-Signature"
_BLOCK = 16


class Undecryptable(Exception):
    """The text is not what this key encrypts."""


def signature(timestamp: str, nonce: str, encrypt_key: str, body: bytes) -> str:
    """SHA-256 in hex over the three texts and the body as it travels; not an HMAC."""
    return hashlib.sha256((timestamp + nonce + encrypt_key).encode("utf-8", "replace") + body).hexdigest()


def same(left: str, right: str) -> bool:
    """Equality in a time that tells nothing about where they differ."""
    return hmac.compare_digest(left.encode("utf-8", "replace"), right.encode("utf-8", "replace"))


def encrypt(plain: bytes, encrypt_key: str, iv: bytes | None = None) -> str:
    iv = os.urandom(_BLOCK) if iv is None else iv
    padder = PKCS7(_BLOCK * 8).padder()
    encryptor = _cipher(encrypt_key, iv).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return base64.b64encode(iv + encryptor.update(padded) + encryptor.finalize()).decode("ascii")


def decrypt(text: str, encrypt_key: str) -> bytes:
    """The plain bytes; `Undecryptable` for bad base64, length or padding, without telling them apart."""
    try:
        sealed = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Undecryptable from error
    if len(sealed) < 2 * _BLOCK or len(sealed) % _BLOCK:
        raise Undecryptable
    decryptor = _cipher(encrypt_key, sealed[:_BLOCK]).decryptor()
    unpadder = PKCS7(_BLOCK * 8).unpadder()
    try:
        return unpadder.update(decryptor.update(sealed[_BLOCK:]) + decryptor.finalize()) + unpadder.finalize()
    except ValueError as error:
        raise Undecryptable from error


def seal(plain: bytes, encrypt_key: str, now: datetime) -> tuple[Mapping[str, str], bytes]:
    """Headers and body of a delivery as Feishu makes it; with no `encrypt_key` the body stays plain and unsigned."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if not encrypt_key:
        return headers, plain
    body = json.dumps({"encrypt": encrypt(plain, encrypt_key)}).encode("ascii")
    timestamp, nonce = str(int(now.timestamp())), os.urandom(8).hex()
    headers |= {TIMESTAMP: timestamp, NONCE: nonce, SIGNATURE: signature(timestamp, nonce, encrypt_key, body)}
    return headers, body


def _cipher(encrypt_key: str, iv: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(hashlib.sha256(encrypt_key.encode()).digest()), modes.CBC(iv))
