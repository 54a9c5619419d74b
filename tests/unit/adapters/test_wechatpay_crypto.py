"""Signatures, envelopes and concealed fields: round trips, and nothing but ValueError for what is broken."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from merchant_kit import API_V3_KEY, certificate_pem, conceal, key, private_pem, public_pem, sealed

from adapters.wechatpay import crypto

MERCHANT, OTHER = key("merchant"), key("other")
few = settings(max_examples=40, deadline=None)


def test_request_message_is_five_lines_with_the_body_last() -> None:
    message = crypto.request_message("GET", "/v3/certificates?a=%2F", 1554208460, "593BEC0C", b"")
    assert message == b"GET\n/v3/certificates?a=%2F\n1554208460\n593BEC0C\n\n"
    assert crypto.request_message("POST", "/p", 1, "n", '{"a":"你"}'.encode()).endswith(b'\n{"a":"\xe4\xbd\xa0"}\n')


@few
@given(st.binary(max_size=300))
def test_what_is_signed_verifies_and_only_that(message: bytes) -> None:
    signature = crypto.sign(MERCHANT, message)
    assert crypto.verify(MERCHANT.public_key(), signature, message)
    assert not crypto.verify(MERCHANT.public_key(), signature, message + b" ")
    assert not crypto.verify(OTHER.public_key(), signature, message)


@few
@given(st.text(max_size=400))
def test_no_signature_text_raises(signature: str) -> None:
    assert not crypto.verify(MERCHANT.public_key(), signature, b"message")
    assert not crypto.verify(MERCHANT.public_key(), "WECHATPAY/SIGNTEST/" + signature, b"message")


@few
@given(st.binary(max_size=2000), st.text(alphabet="abcdefghij_", max_size=15))
def test_sealed_content_opens_with_its_key_only(content: bytes, associated_data: str) -> None:
    parts = sealed(content, associated_data)
    nonce, ciphertext = parts["nonce"], parts["ciphertext"]
    assert crypto.open_sealed(API_V3_KEY, nonce, associated_data, ciphertext) == content
    for wrong in ((API_V3_KEY[::-1], nonce, associated_data), (API_V3_KEY, nonce, associated_data + "x")):
        with pytest.raises(ValueError, match="another key"):
            crypto.open_sealed(*wrong, ciphertext)


@few
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=200))
def test_sealed_garbage_is_a_value_error(nonce: str, associated_data: str, ciphertext: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each kind of damage has a message of its own
        crypto.open_sealed(API_V3_KEY, nonce, associated_data, ciphertext)


@few
@given(st.binary(min_size=1, max_size=64), st.integers(min_value=0, max_value=10_000))
def test_a_flipped_bit_is_noticed(content: bytes, position: int) -> None:
    parts = sealed(content, "complaint")
    raw = bytearray(base64.b64decode(parts["ciphertext"]))
    raw[position % len(raw)] ^= 1
    with pytest.raises(ValueError, match="another key"):
        crypto.open_sealed(API_V3_KEY, parts["nonce"], "complaint", base64.b64encode(raw).decode())


@few
@given(st.text(max_size=40))
def test_concealed_fields_are_revealed(text: str) -> None:
    assert crypto.reveal(MERCHANT, conceal("merchant", text)) == text


@few
@given(
    st.one_of(st.text(max_size=400), st.binary(min_size=256, max_size=256).map(lambda b: base64.b64encode(b).decode()))
)
def test_concealed_garbage_never_shows_as_a_phone(garbage: str) -> None:
    try:
        shown = crypto.reveal(MERCHANT, garbage)
    except ValueError:
        return
    assert not shown.isdigit()


@pytest.mark.parametrize("load", [crypto.load_private_key, crypto.load_public_key, crypto.load_certificate])
@pytest.mark.parametrize(
    "text", ["", "x", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----", "密钥", "\ud800"]
)
def test_broken_pem_is_a_value_error(load: object, text: str) -> None:
    assert callable(load)
    with pytest.raises(ValueError):  # noqa: PT011  # the library's own messages
        load(text)


def test_one_kind_of_pem_is_not_taken_for_another() -> None:
    for load, text in (
        (crypto.load_private_key, public_pem("merchant")),
        (crypto.load_public_key, certificate_pem("platform")),
        (crypto.load_certificate, private_pem("merchant")),
    ):
        with pytest.raises(ValueError):  # noqa: PT011  # the library's own messages
            load(text)


def test_pem_may_be_indented_by_white_space_around_it() -> None:
    assert crypto.load_private_key(f"\n  {private_pem('merchant')}\n").key_size == 2048


def test_certificate_serial_has_forty_digits() -> None:
    certificate = crypto.load_certificate(certificate_pem("platform", serial=0xABC))
    assert crypto.certificate_serial(certificate) == "0" * 37 + "ABC"
