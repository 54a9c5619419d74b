"""A documented sample ("接收事件") and vectors made by lark-oapi, and both ways of our own."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest

from bot.feishu.sealing import NONCE, SIGNATURE, TIMESTAMP, Undecryptable, decrypt, encrypt, seal, signature


def test_known_texts_decrypt() -> None:
    assert decrypt("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=", "test key") == b"hello world"
    assert decrypt("AAECAwQFBgcICQoLDA0OD9f1Zsz5LL+/ejHmq91a9jg=", "ekey") == b'{"a":1}'


def test_encryption_gives_the_known_text() -> None:
    assert encrypt(b'{"a":1}', "ekey", bytes(range(16))) == "AAECAwQFBgcICQoLDA0OD9f1Zsz5LL+/ejHmq91a9jg="


def test_signature_gives_the_known_text() -> None:
    known = "2315e73f69372ce25748c28a6347e3a2c7119b9ff2c0d63e24e9dbb663f04d74"
    assert signature("1700000000", "n0", "ekey", b'{"encrypt":"x"}') == known


@pytest.mark.parametrize("text", ["", "A", "!!!!", "AAAA", "AAECAwQFBgcICQoLDA0ODw==", "é" * 44, "QUJD" * 11])
def test_what_this_key_did_not_encrypt_is_undecryptable(text: str) -> None:
    with pytest.raises(Undecryptable):
        decrypt(text, "ekey")


def test_the_wrong_key_is_undecryptable_or_gives_other_text() -> None:
    sealed = encrypt(b'{"a":1}', "one key")
    with suppress(Undecryptable):
        assert decrypt(sealed, "another key") != b'{"a":1}'


def test_a_sealed_delivery_carries_signature_and_time() -> None:
    headers, body = seal(b"{}", "ekey", datetime(2026, 1, 1, tzinfo=UTC))
    assert headers[TIMESTAMP] == "1767225600"
    assert headers[SIGNATURE] == signature("1767225600", headers[NONCE], "ekey", body)


def test_without_a_key_the_body_stays_plain() -> None:
    headers, body = seal(b"{}", "", datetime(2026, 1, 1, tzinfo=UTC))
    assert body == b"{}"
    assert SIGNATURE not in headers
