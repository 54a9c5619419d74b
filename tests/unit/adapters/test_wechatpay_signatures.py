"""What counts as proven: the window, the headers, the key, and every byte."""

from __future__ import annotations

from datetime import timedelta

import pytest
from merchant_kit import NOW, PUBLIC_KEY_ID, key, signed

from adapters.wechatpay.signatures import Distrust, check_signature

BODY = b'{"a":1}'


def check(headers: dict[str, str], body: bytes = BODY) -> None:
    lowered = {name.lower(): value for name, value in headers.items()}
    keys = {PUBLIC_KEY_ID: key("platform").public_key()}
    check_signature(lowered, body, keys.get, NOW)


@pytest.mark.parametrize("age", [0, 299, -299])
def test_within_five_minutes_both_ways(age: int) -> None:
    check(signed(BODY, at=NOW - timedelta(seconds=age)))


@pytest.mark.parametrize("age", [300, -300, 86400, -86400])
def test_a_replay_or_a_wrong_clock_is_refused(age: int) -> None:
    with pytest.raises(Distrust, match="old" if age > 0 else "ahead"):
        check(signed(BODY, at=NOW - timedelta(seconds=age)))


@pytest.mark.parametrize("timestamp", ["", "abc", "1e9", "-5", "٣", "9" * 400, " 1"])
def test_timestamps_that_are_none(timestamp: str) -> None:
    with pytest.raises(Distrust):
        check({**signed(BODY), "Wechatpay-Timestamp": timestamp})


@pytest.mark.parametrize("name", ["Timestamp", "Nonce", "Signature", "Serial"])
def test_each_header_is_needed(name: str) -> None:
    headers = signed(BODY)
    del headers[f"Wechatpay-{name}"]
    with pytest.raises(Distrust, match="missing"):
        check(headers)


def test_the_kind_of_signature_counts_only_when_told() -> None:
    check({**signed(BODY), "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048"})
    with pytest.raises(Distrust, match="kind"):
        check({**signed(BODY), "Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"})


def test_every_byte_counts() -> None:
    for body in (b'{"a":2}', BODY + b"\n", b""):
        with pytest.raises(Distrust, match="wrong signature"):
            check(signed(BODY), body)
    with pytest.raises(Distrust, match="wrong signature"):
        check({**signed(BODY), "Wechatpay-Nonce": "m" * 32})
    with pytest.raises(Distrust, match="wrong signature"):
        check(signed(BODY, by="other"))
    with pytest.raises(Distrust, match="not held"):
        check(signed(BODY, serial="PUB_KEY_ID_1"))


def test_the_platforms_probe_gets_no_special_treatment() -> None:
    with pytest.raises(Distrust, match="wrong signature"):
        check({**signed(BODY), "Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + signed(BODY)["Wechatpay-Signature"]})
