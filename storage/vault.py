"""Encryption at rest: data keys with ids, wrapped by the secret key, and a blind index for look-up.

A data key is random and stored wrapped, so that changing `SECRET_KEY` re-wraps a few rows instead of the whole
database, and a new data key can be started while old values stay readable.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
INDEX_KEY_ID = "index"


class VaultError(Exception):
    """A value or key cannot be opened with the secrets at hand."""


def _wrapping_key(secret: str) -> AESGCM:
    derived = HKDF(hashes.SHA256(), 32, salt=b"mpops", info=b"wrap data keys").derive(secret.encode())
    return AESGCM(derived)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    id: str
    wrapped: bytes


def new_wrapped_key(key_id: str, secret: str) -> WrappedKey:
    """A fresh random key, readable only with `secret`."""
    return wrap(key_id, AESGCM.generate_key(256), secret)


def wrap(key_id: str, key: bytes, secret: str) -> WrappedKey:
    nonce = os.urandom(_NONCE)
    return WrappedKey(key_id, nonce + _wrapping_key(secret).encrypt(nonce, key, key_id.encode()))


def unwrap(key: WrappedKey, secrets: Sequence[str]) -> tuple[bytes, bool]:
    """The key itself, and whether the first (current) secret opened it. Raises VaultError."""
    for place, secret in enumerate(secrets):
        try:
            opened = _wrapping_key(secret).decrypt(key.wrapped[:_NONCE], key.wrapped[_NONCE:], key.id.encode())
        except InvalidTag:
            continue
        return opened, place == 0
    raise VaultError(f"no secret key at hand opens the data key {key.id!r}")


class Vault:
    """Seals and opens personal data. Values look like `<key id>.<base64 of nonce and ciphertext>`."""

    def __init__(self, keys: Mapping[str, bytes], current: str, index_key: bytes) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = current
        self._index_key = index_key

    def seal(self, plain: str) -> str:
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[self._current].encrypt(nonce, plain.encode(), self._current.encode())
        return f"{self._current}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str) -> str:
        key_id, _, body = sealed.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise VaultError(f"the data key {key_id!r} is not in this database")
        try:
            raw = base64.b64decode(body, validate=True)
            return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], key_id.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise VaultError("a sealed value was changed") from error

    def index(self, plain: str) -> str:
        """The same text gives the same index; the text cannot be read from it without the key."""
        return hmac.new(self._index_key, plain.encode(), hashlib.sha256).hexdigest()

    def subkey(self, purpose: str) -> bytes:
        """A key for another use (signing clicks, chaining audit), the same in every replica of one database."""
        return hmac.new(self._index_key, b"subkey:" + purpose.encode(), hashlib.sha256).digest()
