"""The account's own keys, parsed at first use: a broken key is a finding of doctor and not a bot that is down."""

from __future__ import annotations

from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509 import Certificate

from adapters.account import AccountConfig
from adapters.errors import Misconfigured
from adapters.wechatpay import crypto

CHANNEL = "wechatpay"
NEEDED = ("merchant_id", "merchant_serial", "private_key", "api_v3_key")


class Credentials:
    """Every property raises Misconfigured when what it needs cannot be read. Thread-safe: at worst parsed twice."""

    def __init__(self, config: AccountConfig) -> None:
        """Raises Misconfigured, naming the fields that are missing."""
        missing = [name for name in NEEDED if not getattr(config, name)]
        if bool(config.platform_public_key) != bool(config.platform_public_key_id):
            missing.append("platform_public_key_id" if config.platform_public_key else "platform_public_key")
        if missing:
            raise Misconfigured(CHANNEL, f"account {config.key} lacks {', '.join(missing)}")
        self._config = config
        self.merchant_id = config.merchant_id
        self.merchant_serial = config.merchant_serial.strip().upper()
        self.public_key_id = config.platform_public_key_id.strip()

    @cached_property
    def private_key(self) -> RSAPrivateKey:
        try:
            return crypto.load_private_key(self._config.private_key)
        except ValueError:
            raise self._broken("private_key") from None

    @cached_property
    def api_v3_key(self) -> str:
        key = self._config.api_v3_key.strip()
        if len(key.encode("utf-8", "replace")) != 32:
            raise self._broken("api_v3_key (it has 32 bytes)")
        return key

    @cached_property
    def api_v3_keys(self) -> tuple[str, ...]:
        """The present APIv3 key, and the previous one while it is changed in the merchant console."""
        previous = self._config.api_v3_key_previous.strip()
        if not previous:
            return (self.api_v3_key,)
        if len(previous.encode("utf-8", "replace")) != 32:
            raise self._broken("api_v3_key_previous (it has 32 bytes)")
        return (self.api_v3_key, previous)

    def unseal(self, nonce: str, associated_data: str, ciphertext: str) -> bytes:
        """Open what the platform sealed with the present or the previous APIv3 key. Raises ValueError."""
        *others, last = self.api_v3_keys
        for key in others:
            try:
                return crypto.open_sealed(key, nonce, associated_data, ciphertext)
            except ValueError:
                continue
        return crypto.open_sealed(last, nonce, associated_data, ciphertext)

    @cached_property
    def public_key(self) -> RSAPublicKey | None:
        if not self._config.platform_public_key:
            return None
        try:
            return crypto.load_public_key(self._config.platform_public_key)
        except ValueError:
            raise self._broken("platform_public_key") from None

    @cached_property
    def certificates(self) -> tuple[Certificate, ...]:
        """The platform certificates that were handed in, not those that were downloaded."""
        try:
            return tuple(crypto.load_certificate(pem) for pem in self._config.platform_certificates)
        except ValueError:
            raise self._broken("platform_certificates") from None

    def reveal(self, concealed: str) -> str:
        """Decrypt a field that was concealed for us, with the present key or an old one; "" when none fits."""
        if not concealed:
            return ""
        keys = [self.private_key]
        for pem in self._config.old_private_keys:
            try:
                keys.append(crypto.load_private_key(pem))
            except ValueError:
                continue
        for key in keys:
            try:
                return crypto.reveal(key, concealed)
            except ValueError:
                continue
        return ""

    def _broken(self, what: str) -> Misconfigured:
        return Misconfigured(CHANNEL, f"account {self._config.key}: cannot read {what}")
