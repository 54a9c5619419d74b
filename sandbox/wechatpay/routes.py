"""All of WeChat Pay's HTTP on one blueprint, and the routes outside complaints: keys, echo, orders, refunds.

docs/platforms/wechatpay.md ("Two key modes", "Refunds").
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from sandbox.wechatpay import gate, routes_complaints
from sandbox.wechatpay.bodies import Body, check_notify_url
from sandbox.wechatpay.core import Core
from sandbox.wechatpay.gate import caller
from sandbox.wechatpay.keys import KeyPair, seal_with_api_key
from sandbox.wechatpay.limits import system_error
from sandbox.wechatpay.merchants import KeyMode
from sandbox.wechatpay.payments import Payment
from sandbox.wechatpay.refunds import RefundRequest
from sandbox.wechatpay.refusals import Refusal, wrong_field
from sandbox.wechatpay.times import rfc3339
from sandbox.wechatpay.wire import json_answer


def blueprint(pay: Core) -> Blueprint:
    """All routes, under /v3; to be mounted on an app once."""
    made = Blueprint("wechatpay", __name__)
    gate.add(made, pay)
    _add_keys(made, pay)
    _add_orders(made, pay)
    _add_refunds(made, pay)
    routes_complaints.add(made, pay)
    return made


def _add_keys(blueprint: Blueprint, pay: Core) -> None:
    @blueprint.get("/v3/certificates")
    def certificates() -> Response:
        merchant = caller()
        if merchant.mode is KeyMode.PUBLIC_KEY:
            raise system_error()
        listed = []
        for pair in list(pay.certificates):
            assert pair.certificate is not None
            sealed = seal_with_api_key(merchant.api_v3_key, pair.certificate_pem(), "certificate")
            listed.append(
                {
                    "serial_no": pair.id,
                    "effective_time": rfc3339(pair.certificate.not_valid_before_utc),
                    "expire_time": rfc3339(pair.certificate.not_valid_after_utc),
                    "encrypt_certificate": sealed.as_json(),
                }
            )
        return json_answer({"data": listed})

    @blueprint.post("/v3/security/echo")
    def echo() -> Response:
        merchant = caller()
        body = Body.parse(request.get_data(), {"echo_message", "encrypted_echo_message", "notify_url"})
        answer: dict[str, object] = {"echo_message": body.text("echo_message", 1024)}
        sealed = body.text("encrypted_echo_message", 2048, required=False)
        if sealed:
            answer["encrypted_echo_message"] = merchant.keys.seal(_unsealed(pay, sealed, "encrypted_echo_message"))
        url = body.text("notify_url", 256, required=False)
        if url:
            check_notify_url(url, 256)
            pay.notices.echo(merchant, url, str(answer["echo_message"]))
        return json_answer(answer)


def _unsealed(pay: Core, sealed: str, field: str) -> str:
    """Open a field that the merchant sealed for the key it names in Wechatpay-Serial."""
    serial, own = request.headers.get("Wechatpay-Serial", ""), caller().public_key_pair
    keys: list[KeyPair] = [*pay.certificates, *([own] if own is not None else [])]
    for pair in keys:
        if pair.id == serial:
            try:
                return pair.unseal(sealed)
            except ValueError:
                raise wrong_field(f"/{field}", "敏感字段解密失败") from None
    raise wrong_field("Wechatpay-Serial", "平台证书序列号Wechatpay-Serial错误", serial)


def _add_orders(blueprint: Blueprint, pay: Core) -> None:
    def shown(payment: Payment | None) -> Response:
        if request.args.get("mchid") != caller().id:
            raise wrong_field("mchid", "商户号mchid缺失或与签名商户不一致", request.args.get("mchid"))
        if payment is None:
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
        return json_answer(payment.as_json())

    @blueprint.get("/v3/pay/transactions/id/<transaction_id>")
    def order(transaction_id: str) -> Response:
        with pay.world.lock:
            return shown(pay.ledger.order(caller().id, transaction_id=transaction_id))

    @blueprint.get("/v3/pay/transactions/out-trade-no/<out_trade_no>")
    def order_by_own_number(out_trade_no: str) -> Response:
        with pay.world.lock:
            return shown(pay.ledger.order(caller().id, out_trade_no=out_trade_no))


def _add_refunds(blueprint: Blueprint, pay: Core) -> None:
    @blueprint.post("/v3/refund/domestic/refunds")
    def create() -> Response:
        wanted = RefundRequest.read(request.get_data())
        with pay.world.lock:
            refund = pay.ledger.create(caller(), wanted)
            pay.world.changed()
            return json_answer(refund.as_json())

    @blueprint.get("/v3/refund/domestic/refunds/<out_refund_no>")
    def query(out_refund_no: str) -> Response:
        with pay.world.lock:
            refund = pay.ledger.refunds.get((caller().id, out_refund_no))
            if refund is None:
                raise Refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
            return json_answer(refund.as_json())

    @blueprint.post("/v3/refund/domestic/refunds/<refund_id>/apply-abnormal-refund")
    def apply_abnormal(refund_id: str) -> Response:
        body = Body.parse(request.get_data(), {"out_refund_no", "type", "bank_type", "bank_account", "real_name"})
        number, kind = body.text("out_refund_no", 64), body.text("type", 32)
        if kind not in ("USER_BANK_CARD", "MERCHANT_BANK_CARD"):
            raise wrong_field("/type", "异常退款处理方式不在枚举范围内", kind)
        body.text("bank_type", 16, required=kind == "USER_BANK_CARD")
        for field in ("bank_account", "real_name"):
            sealed = body.text(field, 1024, required=kind == "USER_BANK_CARD")
            if sealed:
                _unsealed(pay, sealed, field)
        with pay.world.lock:
            refund = pay.ledger.retry_abnormal(caller(), refund_id, number)
            pay.world.changed()
            return json_answer(refund.as_json())
