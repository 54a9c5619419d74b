"""The platform's cryptography, RSA signatures, AES-GCM envelopes, OAEP fields (WeChat Pay, 签名生成, 敏感信息加解密).

Every function raises ValueError, and nothing else, for input that is broken or was made for another key.
"""

from __future__ import annotations

import base64
import binascii

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

SCHEMA = "WECHATPAY2-SHA256-RSA2048"
SEALED_WITH = "AEAD_AES_256_GCM"


def load_private_key(pem: str) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.strip().encode(), password=None)
    except (TypeError, UnsupportedAlgorithm, UnicodeError):
        raise ValueError("a private key that is locked or of an unknown kind") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


def load_public_key(pem: str) -> rsa.RSAPublicKey:
    try:
        key = load_pem_public_key(pem.strip().encode())
    except (UnsupportedAlgorithm, UnicodeError):
        raise ValueError("a public key of an unknown kind") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def load_certificate(pem: str) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem.strip().encode())
        certificate_key(certificate)
    except (UnsupportedAlgorithm, UnicodeError):
        raise ValueError("a certificate of an unknown kind") from None
    return certificate


def certificate_key(certificate: x509.Certificate) -> rsa.RSAPublicKey:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def certificate_serial(certificate: x509.Certificate) -> str:
    """As it stands in `Wechatpay-Serial`: upper case hex, 40 digits."""
    return f"{certificate.serial_number:040X}"


def request_message(method: str, target: str, timestamp: int, nonce: str, body: bytes) -> bytes:
    """What is signed for a request; `target` is path and query exactly as sent."""
    return f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"


def answer_message(timestamp: str, nonce: str, body: bytes) -> bytes:
    """What is signed for an answer or a notification, over the raw bytes of the body."""
    return f"{timestamp}\n{nonce}\n".encode("utf-8", "replace") + body + b"\n"


def sign(key: rsa.RSAPrivateKey, message: bytes) -> str:
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), SHA256())).decode()


def verify(key: rsa.RSAPublicKey, signature: str, message: bytes) -> bool:
    """False for any signature that does not fit, malformed ones included (the platform sends such probes)."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def open_sealed(api_v3_key: str, nonce: str, associated_data: str, ciphertext: str) -> bytes:
    """Decrypt what the platform sealed with the APIv3 key."""
    try:
        sealed = base64.b64decode(ciphertext, validate=True)
        return AESGCM(api_v3_key.encode()).decrypt(nonce.encode(), sealed, associated_data.encode())
    except (InvalidTag, binascii.Error, UnicodeError, OverflowError):
        raise ValueError("sealed with another key, or damaged") from None


def reveal(key: rsa.RSAPrivateKey, concealed: str) -> str:
    """Decrypt a sensitive field, RSA-OAEP with SHA-1."""
    oaep = padding.OAEP(mgf=padding.MGF1(SHA1()), algorithm=SHA1(), label=None)  # the platform's choice, not ours
    try:
        return key.decrypt(base64.b64decode(concealed, validate=True), oaep).decode("utf-8")
    except (binascii.Error, UnicodeError):
        raise ValueError("not a sealed field") from None
