"""What can go wrong with WeChat Pay on demand, and its own words for it."""

from __future__ import annotations

from flask import Response

from sandbox.faults import CallFault, PushFault
from sandbox.wechatpay.limits import system_error, too_many
from sandbox.wechatpay.wire import refusal_answer

FAULTS = (*CallFault, *PushFault)


def error_answer(kind: CallFault) -> Response:
    return refusal_answer(too_many() if kind is CallFault.TOO_MANY else system_error())
