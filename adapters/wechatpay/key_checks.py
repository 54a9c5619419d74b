"""What doctor finds in the keys themselves, without a call. docs/platforms/wechatpay.md ("Two key modes")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography.x509 import Certificate

from adapters.account import AccountConfig
from adapters.errors import Misconfigured
from adapters.values import Finding
from adapters.wechatpay import crypto
from adapters.wechatpay.keys import VerificationKeys

WARN_BEFORE = timedelta(days=30)
_SERIAL = re.compile(r"[0-9A-F]{40}")
_PUBLIC_KEY_ID = re.compile(r"PUB_KEY_ID_[0-9A-Z]+")
_LEAST_BITS = 2048
_RENEW = "renew the merchant API certificate in the merchant console and change private_key and merchant_serial"


def own_keys(config: AccountConfig, now: datetime) -> Iterator[Finding]:
    """The merchant's own key, serial, certificate and APIv3 key."""
    serial = config.merchant_serial.strip().upper()
    remedy = "merchant_serial is the 40 hex digits of the API certificate (openssl x509 -noout -serial)"
    yield Finding("merchant_serial", bool(_SERIAL.fullmatch(serial)), serial, remedy)
    long_enough = len(config.api_v3_key.strip().encode("utf-8", "replace")) == 32
    yield Finding("api_v3_key", long_enough, "32 bytes" if long_enough else "not 32 bytes", "copy it anew")
    previous = config.api_v3_key_previous.strip()
    if previous:
        # It needs no more than the merchant console's new key, and the pushes of that hour: then it is a spare way in.
        detail = "is still taken beside api_v3_key"
        if len(previous.encode("utf-8", "replace")) != 32:
            detail = "not 32 bytes"
        elif previous == config.api_v3_key.strip():
            detail = "is the same as api_v3_key"
        yield Finding("api_v3_key_previous", False, detail, "take it out once pushes come under the new key")
    try:
        key = crypto.load_private_key(config.private_key)
    except ValueError:
        yield Finding("private_key", False, "cannot be read", "private_key is the text of apiclient_key.pem")
        return
    strong = key.key_size >= _LEAST_BITS
    yield Finding("private_key", strong, f"RSA, {key.key_size} bits", "the platform takes RSA with 2048 bits")
    if not config.merchant_certificate:
        return
    try:
        certificate = crypto.load_certificate(config.merchant_certificate)
    except ValueError:
        yield Finding("merchant_certificate", False, "cannot be read", "it is the text of apiclient_cert.pem")
        return
    yield _expiry("merchant_certificate", certificate, now, _RENEW)
    same_key = crypto.certificate_key(certificate).public_numbers() == key.public_key().public_numbers()
    same_serial = crypto.certificate_serial(certificate) == serial
    detail = "private_key, merchant_serial and merchant_certificate belong together"
    if not same_key or not same_serial:
        detail = f"merchant_certificate does not fit {'merchant_serial' if same_key else 'private_key'}"
    yield Finding("key_pair", same_key and same_serial, detail, "take all three from the same download")


def platform_keys(config: AccountConfig, keys: VerificationKeys, now: datetime) -> Iterator[Finding]:
    """The keys that prove answers and notifications."""
    if config.platform_public_key_id:
        fits = bool(_PUBLIC_KEY_ID.fullmatch(config.platform_public_key_id.strip()))
        remedy = "copy platform_public_key_id from the merchant console, it starts with PUB_KEY_ID_"
        yield Finding("platform_public_key_id", fits, config.platform_public_key_id, remedy)
        try:
            crypto.load_public_key(config.platform_public_key)
            yield Finding("platform_public_key", True, "can be read")
        except ValueError:
            remedy = "it is the text of pub_key.pem from the merchant console (not a certificate)"
            yield Finding("platform_public_key", False, "cannot be read", remedy)
    try:
        certificates = keys.certificates()
    except Misconfigured as error:
        yield Finding("platform_certificates", False, error.message, "each is the text of a .pem file")
        return
    for certificate in certificates:
        remedy = (
            "a new one comes by itself" if keys.fetches else "hand the new one in, or set fetch_certificates = true"
        )
        yield _expiry("platform_certificate", certificate, now, remedy)
    if not certificates and not config.platform_public_key_id:
        remedy = "set platform_public_key_id and platform_public_key, or see certificate_list"
        yield Finding("platform_certificate", False, "no key of the platform is held", remedy)


def _expiry(check: str, certificate: Certificate, now: datetime, remedy: str) -> Finding:
    end = certificate.not_valid_after_utc
    well = certificate.not_valid_before_utc <= now and end - now > WARN_BEFORE
    return Finding(check, well, f"{crypto.certificate_serial(certificate)} until {end:%Y-%m-%d}", remedy)
