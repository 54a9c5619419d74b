"""The platform's error answers as our own. docs/platforms/wechatpay.md ("Errors by code")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

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
from adapters.json_reading import read_object
from adapters.transport import Answer
from adapters.wechatpay.credentials import CHANNEL


class AnswerTooLarge(BadRequest):
    """The platform cannot put so many rows into one answer: ask for fewer."""


CODES: Mapping[str, type[ChannelError]] = {
    "PARAM_ERROR": BadRequest,
    "INVALID_REQUEST": BadRequest,
    "APPID_MCHID_NOT_MATCH": Misconfigured,
    "MCH_NOT_EXISTS": Misconfigured,
    "SIGN_ERROR": Misconfigured,
    "NO_AUTH": NotGranted,
    "NOT_ENOUGH": NotEnough,
    "USER_ACCOUNT_ABNORMAL": Conflict,
    "OUT_TRADE_NO_USED": Conflict,
    "RULE_LIMIT": Conflict,
    "TRADE_ERROR": Conflict,
    "REQUEST_BLOCKED": Conflict,
    "ORDER_NOT_EXIST": NotFound,
    "RESOURCE_NOT_EXISTS": NotFound,
    "NOT_FOUND": NotFound,
    "NO_STATEMENT_EXIST": NotFound,
    "STATEMENT_CREATING": Unavailable,
    "FREQUENCY_LIMITED": RateLimited,
    "FREQUENCY_LIMIT_EXCEED": RateLimited,
    "RATELIMIT_EXCEEDED": RateLimited,
    "SYSTEM_ERROR": Unavailable,
    "SERVICE_UNAVAILABLE": Unavailable,
}

TOO_LARGE = "当前查询结果数据量过大"

# One code carries many meanings; these messages are known word for word and change what a caller should do.
MESSAGES: tuple[tuple[str, type[ChannelError]], ...] = (
    ("频率限制", RateLimited),
    ("单据状态不支持操作", Conflict),
    ("提交商户回复失败", Conflict),
    ("超过订单可退金额", Conflict),
    ("非极速退款单据", Conflict),
    ("单不存在", NotFound),  # of a complaint, refund or order; the platform's code for it differs by call
)

STATUSES: Mapping[int, type[ChannelError]] = {
    400: BadRequest,
    401: Misconfigured,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}

_PHONE = re.compile(r"(?<!\d)1\d{10}(?!\d)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def to_error(answer: Answer, *, writes: bool, limited_is_unknown: bool = False) -> ChannelError:
    """What an answer other than 200 or 204 means.

    `limited_is_unknown`: for refunds the platform says that 429 leaves open whether the refund was taken on.
    """
    told = _told(answer)
    code, message = (told or {}).get("code", ""), (told or {}).get("message", "")
    code = code if isinstance(code, str) else str(code)
    message = _safe(message if isinstance(message, str) else "")
    if answer.status == 202:
        kind: type[ChannelError] = Unavailable
        message = message or "accepted, not done: the same request is to be repeated"
    elif told is None or not code:
        # Not the platform's own words, so something between us and it spoke, or the address is wrong.
        kind = Unavailable
        message = f"HTTP {answer.status} without an error body of WeChat Pay; check base_url and proxies"
    else:
        kind = _kind(answer.status, code, message)
    if writes and (kind is Unavailable or (kind is RateLimited and limited_is_unknown)):
        kind = OutcomeUnknown
    return kind(
        CHANNEL,
        message or f"HTTP {answer.status}",
        code=code[:64],
        status=answer.status,
        request_id=answer.header("Request-ID")[:128],
        after=_after(answer),
    )


def _kind(status: int, code: str, message: str) -> type[ChannelError]:
    if TOO_LARGE in message:
        return AnswerTooLarge
    if not 400 <= status < 500:
        return Unavailable
    for part, kind in MESSAGES:
        if part in message:
            return kind
    return CODES.get(code) or STATUSES.get(status, Refused)


def _told(answer: Answer) -> dict[str, Any] | None:
    try:
        return read_object(answer.body)
    except ValueError:
        return None


def _safe(message: str) -> str:
    """Fit for a chat and a log: one line, not endless, without a phone number."""
    return _PHONE.sub("1**********", _CONTROL.sub(" ", message))[:300]


def _after(answer: Answer) -> float:
    try:
        seconds = float(answer.header("Retry-After"))
    except ValueError:
        return 0.0
    return seconds if 0.0 < seconds <= 86400.0 else 0.0
