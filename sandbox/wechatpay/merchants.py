"""Merchants of the sandbox: who they are, which keys they hold, how they are set up."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sandbox.wechatpay.keys import KeyPair


class KeyMode(StrEnum):
    """Which of the platform's keys sign for a merchant. docs/platforms/wechatpay.md ("Two key modes")."""

    PUBLIC_KEY = "public_key"
    CERTIFICATE = "certificate"
    SWITCHING = "switching"  # answers follow the request, notifications come under either key


@dataclass(frozen=True, slots=True)
class MerchantFiles:
    """The files a merchant would have downloaded from the merchant console."""

    private_key: Path
    certificate: Path
    api_v3_key: Path
    platform_public_key: Path | None
    platform_certificates: tuple[Path, ...]


@dataclass
class Merchant:
    """One merchant. `platform_certificates` is the platform's own list and grows when it lists a new one."""

    id: str
    name: str
    mode: KeyMode
    api_v3_key: str = field(repr=False)
    keys: KeyPair = field(repr=False)
    public_key_pair: KeyPair | None = field(repr=False)
    platform_certificates: Sequence[KeyPair] = field(repr=False)
    balance_fen: int = 100_000_000
    complaint_notify_url: str = ""
    refund_notify_url: str = ""
    jump_urls_allowed: bool = False
    switch_percent: int = 50  # while switching: the share of notifications that the public key signs
    notices_sent: int = 0

    @property
    def private_key_pem(self) -> str:
        return self.keys.private_pem()

    @property
    def certificate_pem(self) -> str:
        return self.keys.certificate_pem()

    @property
    def serial(self) -> str:
        return self.keys.id

    @property
    def platform_public_key_pem(self) -> str:
        """ "" in pure certificate mode."""
        return self.public_key_pair.public_pem() if self.public_key_pair else ""

    @property
    def platform_public_key_id(self) -> str:
        return self.public_key_pair.id if self.public_key_pair else ""

    def key_for_answer(self, asked: str, newest_certificate: KeyPair) -> KeyPair:
        """`asked` is the request's own Wechatpay-Serial; it decides only while switching."""
        if self.public_key_pair is None:
            return newest_certificate
        if self.mode is KeyMode.SWITCHING and asked != self.public_key_pair.id:
            return newest_certificate
        return self.public_key_pair

    def key_for_notice(self, newest_certificate: KeyPair) -> KeyPair:
        if self.public_key_pair is None:
            return newest_certificate
        if self.mode is KeyMode.PUBLIC_KEY:
            return self.public_key_pair
        before = self.notices_sent * self.switch_percent // 100
        self.notices_sent += 1
        return self.public_key_pair if self.notices_sent * self.switch_percent // 100 > before else newest_certificate

    def write_files(self, folder: Path) -> MerchantFiles:
        """Write keys and certificates into `folder`, readable by the owner only."""
        folder.mkdir(parents=True, exist_ok=True)
        public = None
        if self.public_key_pair is not None:
            public = _write(folder / "pub_key.pem", self.platform_public_key_pem)
        certificates: tuple[Path, ...] = ()
        if self.mode is not KeyMode.PUBLIC_KEY:
            certificates = tuple(
                _write(folder / f"wechatpay_{pair.id}.pem", pair.certificate_pem())
                for pair in self.platform_certificates
            )
        return MerchantFiles(
            private_key=_write(folder / "apiclient_key.pem", self.private_key_pem),
            certificate=_write(folder / "apiclient_cert.pem", self.certificate_pem),
            api_v3_key=_write(folder / "api_v3_key.txt", self.api_v3_key),
            platform_public_key=public,
            platform_certificates=certificates,
        )


def _write(path: Path, text: str) -> Path:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    return path
