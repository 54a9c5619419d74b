"""The gate that every call passes: who calls is proven before anything else, and answers are signed.

docs/platforms/wechatpay.md ("Requests and signatures", "Answers and their signatures").
"""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from sandbox.faults import CallFault, Fault
from sandbox.wechatpay.core import Core
from sandbox.wechatpay.merchants import Merchant
from sandbox.wechatpay.refusals import Refusal
from sandbox.wechatpay.wire import prove, refusal_answer, request_id, sign

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def caller() -> Merchant:
    """The merchant that the gate has let in."""
    merchant: Merchant = g.pay_merchant
    return merchant


def add(blueprint: Blueprint, pay: Core) -> None:
    """Put the gate before all routes of the blueprint."""

    @blueprint.before_request
    def let_in() -> None:
        g.pay_merchant = prove(request, pay.merchants, pay.world.clock.seconds())

    @blueprint.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> Response:
        return refusal_answer(refusal)

    @blueprint.after_request
    def seal(answer: Response) -> Response:
        answer.headers.setdefault("Request-ID", request_id())
        if not 200 <= answer.status_code < 300 or g.get("pay_unsigned", False):
            return answer
        pair = caller().key_for_answer(request.headers.get("Wechatpay-Serial", ""), pay.signing_certificate())
        fault: Fault | None = g.get("fault")
        wrong = fault is not None and fault.kind is CallFault.BAD_SIGNATURE
        return sign(answer, pair, pay.world.clock.seconds(), wrong=wrong)

    @blueprint.route("/v3/<path:rest>", methods=_METHODS)
    def unknown(rest: str) -> Response:
        raise Refusal(404, "NOT_FOUND", "请求的资源不存在")
