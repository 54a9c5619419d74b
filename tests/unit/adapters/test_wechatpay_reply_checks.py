"""Texts that the platform would refuse are named before they are sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.values import Objection
from adapters.wechatpay.complaints import idempotent_id
from adapters.wechatpay.reply_checks import check_reason, check_refund_reason, check_reply


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        ("您好，已为您退款。\n请查收", None),
        ("", Objection("text.empty")),
        (" \n\t\u3000", Objection("text.empty")),
        ("字" * 500, None),
        ("字" * 501, Objection("text.too_long", {"limit": 500, "length": 501})),
        ("好的😀👍😀", Objection("text.characters", {"found": "😀👍"})),
        ("𠮷野家", Objection("text.characters", {"found": "𠮷"})),
        ("half \ud83d", Objection("text.characters", {"found": "\ufffd"})),
        ("①☆℃ é 한", None),
    ],
)
def test_replies(text: str, objection: Objection | None) -> None:
    assert check_reply(text) == objection


def test_reasons_have_their_own_limits() -> None:
    assert check_reason("字" * 200) is None
    assert check_reason("字" * 201) == Objection("text.too_long", {"limit": 200, "length": 201})
    assert check_reason("") == Objection("text.empty")
    assert check_refund_reason("") is None
    assert check_refund_reason("字" * 81) == Objection("text.too_long", {"limit": 80, "length": 81})


def test_forty_kilobytes_of_emoji_make_a_short_objection() -> None:
    objection = check_reply("".join(chr(0x1F600 + number % 50) for number in range(10_000)))
    assert objection is not None
    assert len(str(objection.params["found"])) == 10


@given(st.text(max_size=700))
def test_what_is_not_objected_to_fits_the_wire(text: str) -> None:
    if check_reply(text) is None:
        assert 0 < len(text) <= 500
        assert all(len(sign.encode()) <= 3 for sign in text)


@given(st.text(min_size=1, max_size=300))
def test_idempotent_ids_are_short_plain_and_the_same_again(key: str) -> None:
    once = idempotent_id(key)
    assert once == idempotent_id(key)
    assert 0 < len(once) <= 128
    assert once.isascii()
    assert once.isprintable()
