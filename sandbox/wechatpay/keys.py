"""Keys and certificates of the platform and of its merchants, and what is done with them.

docs/platforms/wechatpay.md ("Encrypted fields"). All keys are RSA with 2048 bits and made anew for every sandbox.
"""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509.oid import NameOID

SCHEMA = "WECHATPAY2-SHA256-RSA2048"
PROBE = "WECHATPAY/SIGNTEST/"  # how a signature begins that the platform sends to test whether anybody checks


@dataclass(frozen=True)
class KeyPair:
    """A private key with the id under which the other side knows its public half."""

    id: str  # PUB_KEY_ID_… or the upper-case hex serial of the certificate
    private: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate | None = None

    def private_pem(self) -> str:
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.private.private_bytes(serialization.Encoding.PEM, form, plain).decode()

    def public_pem(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def certificate_pem(self) -> str:
        if self.certificate is None:
            raise ValueError(f"{self.id} has no certificate")
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self.private.sign(message, padding.PKCS1v15(), SHA256())).decode()

    def verifies(self, message: bytes, signature: str) -> bool:
        try:
            raw = base64.b64decode(signature, validate=True)
            self.private.public_key().verify(raw, message, padding.PKCS1v15(), SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True

    def seal(self, text: str) -> str:
        """Encrypt a short sensitive field for the owner of the private key (RSA-OAEP with SHA-1)."""
        return base64.b64encode(self.private.public_key().encrypt(text.encode(), _oaep())).decode()

    def unseal(self, sealed: str) -> str:
        """Raises ValueError when it was sealed for another key."""
        return self.private.decrypt(base64.b64decode(sealed, validate=True), _oaep()).decode()


def _oaep() -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(SHA1()), algorithm=SHA1(), label=None)


def new_private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def new_public_key_pair() -> KeyPair:
    """A pair in public-key mode: an id instead of a certificate, and no expiry."""
    return KeyPair("PUB_KEY_ID_" + "0" + "".join(str(secrets.randbelow(10)) for _ in range(31)), new_private_key())


def new_certified_pair(name: str, issuer: str, now: datetime, years: int = 5) -> KeyPair:
    """A pair with a self-signed certificate that has been valid for a day, its serial 40 hex digits."""
    private = new_private_key()
    # The top bits are fixed so that the serial always has 40 digits and stays positive in DER.
    serial = (secrets.randbits(159) & ~(1 << 158)) | (1 << 157) | (1 << 156)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(private.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * years))
        .sign(private, SHA256())
    )
    return KeyPair(f"{serial:040X}", private, certificate)


def new_api_v3_key() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A text under AEAD_AES_256_GCM as it stands in notifications and certificates."""

    nonce: str
    associated_data: str
    ciphertext: str

    def as_json(self) -> dict[str, object]:
        return {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": self.nonce,
            "associated_data": self.associated_data,
            "ciphertext": self.ciphertext,
        }


def seal_with_api_key(api_v3_key: str, text: str, associated_data: str) -> Sealed:
    nonce = secrets.token_hex(6)
    sealed = AESGCM(api_v3_key.encode()).encrypt(nonce.encode(), text.encode(), associated_data.encode())
    return Sealed(nonce, associated_data, base64.b64encode(sealed).decode())


def signature_headers(pair: KeyPair, body: bytes, at: float, *, wrong: bool = False) -> dict[str, str]:
    """The headers that sign an answer or a notification; a wrong one is the platform's probe signature."""
    timestamp, nonce = str(int(at)), secrets.token_hex(16)
    message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    signature = PROBE + base64.b64encode(os.urandom(256)).decode() if wrong else pair.sign(message)
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signature,
        "Wechatpay-Serial": pair.id,
        "Wechatpay-Signature-Type": SCHEMA,
    }
