"""How Feishu wraps, encrypts and signs what it pushes. docs/platforms/feishu.md ("Encryption")."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sandbox.feishu.state import TENANT, App, new_id


def envelope(app: App, event_type: str, event: Mapping[str, Any], at: datetime, micro: bool = False) -> dict[str, Any]:
    """Schema 2.0. `create_time` is in milliseconds for events and in microseconds for card callbacks."""
    created = int(at.timestamp() * 1_000_000)
    return {
        "schema": "2.0",
        "header": {
            "event_id": new_id(""),
            "event_type": event_type,
            "create_time": str(created if micro else created // 1000),
            "token": app.verification_token,
            "app_id": app.app_id,
            "tenant_key": TENANT,
        },
        "event": dict(event),
    }


def encode(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def sealed(app: App, payload: bytes) -> bytes:
    """The request body: encrypted when the app has an Encrypt Key, else as it is."""
    if not app.encrypt_key:
        return payload
    return encode({"encrypt": encrypt(app.encrypt_key, payload, os.urandom(16))})


def encrypt(encrypt_key: str, plain: bytes, iv: bytes) -> str:
    padder = padding.PKCS7(128).padder()
    key = hashlib.sha256(encrypt_key.encode()).digest()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    cipher = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    return base64.b64encode(iv + cipher).decode()


def signature(timestamp: str, nonce: str, encrypt_key: str, body: bytes) -> str:
    return hashlib.sha256(timestamp.encode() + nonce.encode() + encrypt_key.encode() + body).hexdigest()


def signed_headers(app: App, body: bytes, at: datetime, wrong: bool = False) -> dict[str, str]:
    timestamp, nonce = str(int(at.timestamp())), secrets.token_hex(8)
    signed = signature(timestamp, nonce, app.encrypt_key + ("-wrong" if wrong else ""), body)
    return {
        "Content-Type": "application/json; charset=utf-8",
        "X-Lark-Request-Timestamp": timestamp,
        "X-Lark-Request-Nonce": nonce,
        "X-Lark-Signature": signed,
        "X-Request-Id": new_id(""),
    }
