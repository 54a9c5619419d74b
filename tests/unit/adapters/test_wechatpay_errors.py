"""Every error answer becomes the right one of our errors."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import (
    BadRequest,
    ChannelError,
    Conflict,
    Misconfigured,
    NotEnough,
    NotFound,
    NotGranted,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unavailable,
)
from adapters.transport import Answer
from adapters.wechatpay.errors import CODES, AnswerTooLarge, to_error

TABLE = [
    (400, "PARAM_ERROR", "", BadRequest),
    (400, "INVALID_REQUEST", "头部信息不完整", BadRequest),
    (400, "INVALID_REQUEST", "申请退款金额超过订单可退金额", Conflict),
    (400, "INVALID_REQUEST", "提交商户回复失败，请稍后重试", Conflict),
    (400, "INVALID_REQUEST", "当前单据状态不支持操作, 请检查是否重复调用", Conflict),
    (400, "PARAM_ERROR", "非极速退款单据, 不能对本单据进行退款进度更新", Conflict),
    (400, "PARAM_ERROR", "投诉单不存在", NotFound),
    (400, "APPID_MCHID_NOT_MATCH", "", Misconfigured),
    (400, "MCH_NOT_EXISTS", "", Misconfigured),
    (404, "MCH_NOT_EXISTS", "", Misconfigured),
    (400, "NO_STATEMENT_EXIST", "", NotFound),
    (400, "STATEMENT_CREATING", "", Unavailable),
    (401, "SIGN_ERROR", "错误的签名，导致验签失败", Misconfigured),
    (403, "NO_AUTH", "您暂无权限为该投诉单提交商户回复", NotGranted),
    (403, "NOT_ENOUGH", "", NotEnough),
    (403, "USER_ACCOUNT_ABNORMAL", "", Conflict),
    (403, "OUT_TRADE_NO_USED", "", Conflict),
    (403, "RULE_LIMIT", "", Conflict),
    (403, "TRADE_ERROR", "", Conflict),
    (403, "REQUEST_BLOCKED", "", Conflict),
    (404, "ORDER_NOT_EXIST", "", NotFound),
    (404, "RESOURCE_NOT_EXISTS", "退款单不存在", NotFound),
    (400, "RESOURCE_NOT_EXISTS", "", NotFound),
    (404, "NOT_FOUND", "", NotFound),
    (429, "FREQUENCY_LIMITED", "", RateLimited),
    (429, "RATELIMIT_EXCEEDED", "", RateLimited),
    (429, "FREQUENCY_LIMIT_EXCEED", "", RateLimited),
    (403, "WHATEVER", "频率限制，1个月之前的订单请降低申请频率再重试", RateLimited),
    (400, "PARAM_ERROR", "当前查询结果数据量过大", AnswerTooLarge),
    (500, "SYSTEM_ERROR", "当前查询结果数据量过大，请减少", AnswerTooLarge),
    (500, "SYSTEM_ERROR", "", Unavailable),
    (503, "SERVICE_UNAVAILABLE", "", Unavailable),
    (502, "BAD_GATEWAY", "", Unavailable),
    (500, "INVALID_REQUEST", "提交商户回复失败", Unavailable),
    (202, "", "", Unavailable),
    (302, "MOVED", "", Unavailable),
    (400, "BRAND_NEW", "", BadRequest),
    (401, "BRAND_NEW", "", Misconfigured),
    (403, "BRAND_NEW", "", Refused),
    (404, "BRAND_NEW", "", NotFound),
    (409, "BRAND_NEW", "", Conflict),
    (418, "BRAND_NEW", "", Refused),
    (429, "BRAND_NEW", "", RateLimited),
]


def answer(status: int, code: str = "", message: str = "", **headers: str) -> Answer:
    body = json.dumps({"code": code, "message": message}, ensure_ascii=False).encode()
    return Answer(status, {name.lower().replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(("status", "code", "message", "error"), TABLE)
def test_reads(status: int, code: str, message: str, error: type[ChannelError]) -> None:
    told = to_error(answer(status, code, message, request_id="08AB-268"), writes=False)
    assert type(told) is error
    assert (told.code, told.status, told.request_id) == (code, status, "08AB-268")
    assert message in told.message


@pytest.mark.parametrize(("status", "code", "message", "error"), TABLE)
def test_writes_that_may_have_happened_are_unknown(
    status: int, code: str, message: str, error: type[ChannelError]
) -> None:
    assert type(to_error(answer(status, code, message), writes=True)) is (
        OutcomeUnknown if error is Unavailable else error
    )


def test_every_code_of_the_table_is_tried_above() -> None:
    assert set(CODES) <= {code for _, code, _, _ in TABLE}


def test_a_refund_that_was_throttled_may_have_been_taken_on() -> None:
    throttled = answer(429, "FREQUENCY_LIMITED", "频率限制")
    assert type(to_error(throttled, writes=True, limited_is_unknown=True)) is OutcomeUnknown
    assert type(to_error(throttled, writes=True)) is RateLimited
    assert type(to_error(answer(403, "NOT_ENOUGH"), writes=True, limited_is_unknown=True)) is NotEnough


@pytest.mark.parametrize("body", [b"", b"<html>404 nginx</html>", b"[]", b'{"error":"no code"}', b"\xff"])
@pytest.mark.parametrize("status", [400, 403, 404, 413, 502])
def test_what_the_platform_did_not_write_proves_nothing(status: int, body: bytes) -> None:
    """A 404 page of a proxy must not read as "there is no such refund"."""
    told = to_error(Answer(status, {}, body), writes=False)
    assert type(told) is Unavailable
    assert "base_url" in told.message
    assert type(to_error(Answer(status, {}, body), writes=True)) is OutcomeUnknown


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("", 0.0), ("soon", 0.0), ("-1", 0.0), ("nan", 0.0), ("1e9", 0.0)]
)
def test_how_long_to_wait(header: str, seconds: float) -> None:
    assert to_error(answer(429, "FREQUENCY_LIMITED", "", retry_after=header), writes=False).after == seconds


@settings(max_examples=80, deadline=None)
@given(st.integers(100, 599), st.text(max_size=600), st.text(max_size=600))
def test_any_answer_is_some_error_fit_for_a_chat(status: int, code: str, message: str) -> None:
    for writes in (False, True):
        told = to_error(answer(status, code, message.encode("utf-8", "replace").decode()), writes=writes)
        assert len(told.message) <= 300
        assert not any(ord(sign) < 0x20 for sign in told.message)


def test_a_phone_number_in_a_message_is_masked() -> None:
    told = to_error(answer(400, "PARAM_ERROR", "手机号13800138000无效，单号4200001234567890123"), writes=False)
    assert told.message == "手机号1**********无效，单号4200001234567890123"
