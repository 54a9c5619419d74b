from __future__ import annotations

import pytest

from bot.feishu.caller import domain_address
from bot.feishu.errors import (
    CODES,
    TOKEN_CODES,
    BadCredentials,
    BotNotInChat,
    CardRefused,
    CardTooOld,
    ChatGone,
    ContentRefused,
    FeishuError,
    MissingScope,
    Permanent,
    PersonGone,
    QuotaGone,
    Recalled,
    Retryable,
    Throttled,
    TokenRefused,
    classify,
)

# Codes of docs/platforms/feishu.md ("Errors by code"), by what is made of them.
RETRIED = {230020, 230049, 99991400, 99991663, 99991664, 99991665}
PERMANENT = {
    *(230001, 230002, 230006, 230009, 230011, 230012, 230013, 230015, 230017, 230018, 230019, 230022, 230023, 230024),
    *(230025, 230026, 230027, 230028, 230029, 230031, 230034, 230035, 230038, 230050, 230053, 230054, 230055, 230071),
    *(230072, 230075, 230099, 230110, 230111, 232009, 231203, 234001, 234002, 234003, 234004, 234005, 234006, 234010),
    *(234011, 234037, 234039, 234043),
    *(10003, 10014, 10015, 99991661, 99991668, 99991671, 99991672, 99991673, 99991677, 99991679, 99991401, 99991403),
    *(99992351, 99992360, 99992361, 99992402),
}


@pytest.mark.parametrize("code", sorted(RETRIED))
def test_what_may_succeed_later_is_retried(code: int) -> None:
    assert code in CODES
    assert issubclass(classify(code, "", status=400), Retryable)


@pytest.mark.parametrize("code", sorted(PERMANENT))
def test_what_will_be_refused_again_is_not_retried(code: int) -> None:
    assert code in CODES
    assert issubclass(classify(code, "", status=400), Permanent)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (230031, CardTooOld),
        (230011, Recalled),
        (230099, CardRefused),
        (230002, BotNotInChat),
        (232009, ChatGone),
        (230013, PersonGone),
        (230029, PersonGone),
        (230053, PersonGone),
        (10015, BadCredentials),
        (99991672, MissingScope),
        (99991403, QuotaGone),
        (99991400, Throttled),
        (230020, Throttled),
    ],
)
def test_what_the_outbox_treats_apart_has_its_own_class(code: int, kind: type[FeishuError]) -> None:
    assert classify(code, "", status=400) is kind


@pytest.mark.parametrize("code", [230001, 230022, 230025, 230028])
def test_words_refused_in_a_card_are_a_refused_card(code: int) -> None:
    assert classify(code, "", with_card=True) is CardRefused
    assert classify(code, "", with_card=False) is ContentRefused


def test_token_codes_are_those_that_call_for_a_new_token() -> None:
    assert {code for code, kind in CODES.items() if kind is TokenRefused} == TOKEN_CODES


def test_a_code_that_nobody_documented_goes_by_the_status() -> None:
    assert classify(424242, "", status=400) is Permanent
    assert classify(424242, "", status=200) is Permanent
    assert classify(424242, "", status=429) is Throttled
    assert issubclass(classify(424242, "", status=503), Retryable)


def test_the_card_builders_own_code_is_read_out_of_the_message() -> None:
    text = "Failed to create card content, ext=ErrCode: 100290; ErrMsg: invalid user resource; ErrorValue: ou_x; "
    error = CardRefused("card.send", text, code=230099)
    assert (error.subcode, error.names_nobody) == (100290, True)
    assert CardRefused("card.send", "no code here", code=230001).subcode == 0
    assert CardRefused("card.send", "ErrCode: " + "9" * 5000, code=230099).subcode in range(10**12)


def test_a_card_that_is_busy_is_tried_again() -> None:
    assert issubclass(classify(230099, "ext=ErrCode: 11310; ErrMsg: card action is lock; "), Retryable)
    assert classify(230099, "ext=ErrCode: 11310; ErrMsg: element exceeds the limit; ") is CardRefused


def test_only_one_code_says_for_certain_that_somebody_left() -> None:
    assert PersonGone("card.send", "", code=230029).resigned
    assert not PersonGone("card.send", "", code=230053).resigned


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("feishu", "https://open.feishu.cn"),
        ("Lark", "https://open.larksuite.com"),
        ("https://open.feishu.cn/", "https://open.feishu.cn"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://localhost:9000/", "http://localhost:9000"),
    ],
)
def test_domains(given: str, address: str) -> None:
    assert domain_address(given) == address


@pytest.mark.parametrize("given", ["", "feishu.cn", "http://open.feishu.cn", "https://x/path", "ftp://x", "https://"])
def test_a_domain_that_would_expose_the_secret_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="domain"):
        domain_address(given)
