"""Encryption at rest: data keys with ids, wrapped by the secret key, and a blind index for look-up.

A data key is random and stored wrapped, so that changing `SECRET_KEY` re-wraps a few rows instead of the whole
database, and a new data key can be started while old values stay readable.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
INDEX_KEY_ID = "index"
REREAD_AFTER = 60.0  # seconds after which the keys are read again before something is sealed
_DATA_KEY_ID = re.compile(r"k[1-9][0-9]{0,8}")


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


@dataclass(frozen=True, slots=True)
class Keys:
    """The opened data keys by id; `current` seals what is new."""

    ciphers: Mapping[str, AESGCM]
    current: str

    @classmethod
    def of(cls, keys: Mapping[str, bytes], current: str) -> Keys:
        return cls({key_id: AESGCM(key) for key_id, key in keys.items()}, current)


class Vault:
    """Seals and opens personal data. Values look like `<key id>.<base64 of nonce and ciphertext>`.

    With `reread` a vault follows the keys of its database: it looks again when a value of an unknown key turns up, and
    before it seals something more than a minute after the last look. Thread-safe.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        current: str,
        index_key: bytes,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = Keys.of(keys, current)
        self._index_key = index_key
        self._clock = clock
        self._reread: Callable[[], Keys | None] | None = None
        self._read_at = clock()
        self._reading = threading.Lock()

    @property
    def current(self) -> str:
        """The id of the key that seals what is new."""
        return self._keys.current

    def follow(self, reread: Callable[[], Keys | None]) -> None:
        """`reread` gives the keys as they are now, or None while they cannot be read. It must not use this vault."""
        self._reread = reread

    def seal(self, plain: str) -> str:
        # Any distance counts: a process that slept, or whose clock was set back, must not seal with a retired key.
        if self._reread is not None and abs(self._clock() - self._read_at) >= REREAD_AFTER:
            self.look_again()
        keys = self._keys
        nonce = os.urandom(_NONCE)
        sealed = keys.ciphers[keys.current].encrypt(nonce, plain.encode(), keys.current.encode())
        return f"{keys.current}.{base64.b64encode(nonce + sealed).decode()}"

    def look_again(self, wanted: str = "") -> None:
        """Read the keys anew; nothing happens where another thread has just found the `wanted` one."""
        if self._reread is None:
            return
        with self._reading:
            fresh = abs(self._clock() - self._read_at) < REREAD_AFTER
            if wanted in self._keys.ciphers if wanted else fresh:
                return
            self._read_at = self._clock()
            found = self._reread()
            if found is not None:
                self._keys = found

    def _cipher(self, key_id: str) -> AESGCM | None:
        cipher = self._keys.ciphers.get(key_id)
        if cipher is None and _DATA_KEY_ID.fullmatch(key_id):
            self.look_again(key_id)
            cipher = self._keys.ciphers.get(key_id)
        return cipher

    def open(self, sealed: str) -> str:
        key_id, _, body = sealed.partition(".")
        cipher = self._cipher(key_id)
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
