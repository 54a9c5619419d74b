"""Who calls: the checks every request passes before anything else, and the signing of answers.

docs/platforms/wechatpay.md ("Requests and signatures").
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from urllib.parse import quote

from flask import Request, Response

from sandbox.wechatpay.keys import SCHEMA, KeyPair, signature_headers
from sandbox.wechatpay.merchants import Merchant
from sandbox.wechatpay.pictures import Upload
from sandbox.wechatpay.refusals import Refusal, bad_request, bad_signature

WINDOW = 300  # seconds a request's timestamp may be off
UPLOAD_PATH = "/v3/merchant-service/images/upload"
_ITEM = re.compile(r'\s*([a-z_]+)="([^"]*)"\s*')
_ITEMS = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}


def raw_target(request: Request) -> str:
    """Path and query byte for byte as they were sent: the signature covers the escapes."""
    raw = request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI")
    if isinstance(raw, str) and raw.startswith("/"):
        return raw
    query = request.query_string.decode("latin-1")
    return quote(request.path, safe="/:@!$&'()*+,;=-._~") + (f"?{query}" if query else "")


def authorization_items(header: str) -> dict[str, str]:
    """The five items of the Authorization header; raises 401 SIGN_ERROR when it is not of that form."""
    kind, _, rest = header.partition(" ")
    if not header or not rest:
        raise bad_signature("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
    if kind != SCHEMA:
        raise bad_signature("Http头Authorization认证类型不正确")
    items: dict[str, str] = {}
    for part in rest.split(","):
        match = _ITEM.fullmatch(part)
        if match is None or match[1] in items:
            raise bad_signature("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
        items[match[1]] = match[2]
    if set(items) != _ITEMS or not all(items.values()):
        raise bad_signature("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
    return items


def prove(request: Request, merchants: Mapping[str, Merchant], now: float) -> Merchant:
    """The merchant that sent the request; raises the platform's refusal when that is not proven. `now` in seconds."""
    accept = request.headers.get("Accept", "")
    if not request.headers.get("User-Agent", "").strip() or not _takes_json(accept):
        raise bad_request("头部信息不完整")
    items = authorization_items(request.headers.get("Authorization", ""))
    merchant = merchants.get(items["mchid"])
    if merchant is None or items["serial_no"].upper() != merchant.serial:
        raise bad_signature("商户证书序列号有误。请使用签名私钥匹配的证书序列号")
    if not items["timestamp"].isdecimal() or abs(now - int(items["timestamp"])) > WINDOW:
        raise bad_signature("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
    body = _signed_body(request)
    target = raw_target(request)
    head = f"{request.method}\n{target}\n{items['timestamp']}\n{items['nonce_str']}\n"
    message = head.encode("latin-1", "replace") + body + b"\n"
    if not merchant.keys.verifies(message, items["signature"]):
        shown = body[:12].decode("utf-8", "replace") + ("..." if len(body) > 12 else "\n")
        information = {
            "method": request.method,
            "url": target,
            "truncated_sign_message": head + shown,
            "sign_message_length": len(message),
        }
        raise bad_signature("错误的签名，导致验签失败", information)
    if request.get_data() and request.path != UPLOAD_PATH and request.mimetype != "application/json":
        raise bad_request("Content-Type应为application/json")
    return merchant


def _takes_json(accept: str) -> bool:
    kinds = {kind.split(";")[0].strip().lower() for kind in accept.split(",")}
    return bool(kinds & {"application/json", "*/*"})


def _signed_body(request: Request) -> bytes:
    """Of an upload only the `meta` text is signed, of everything else the bytes of the body."""
    if request.path != UPLOAD_PATH:
        return request.get_data()
    return Upload.read(request.headers.get("Content-Type", ""), request.get_data()).meta.encode()


def json_answer(body: Mapping[str, object] | None, status: int = 200) -> Response:
    """None answers 204 without a body. Lone surrogates of hostile text become question marks."""
    if body is None:
        answer = Response(status=204)
        answer.headers.pop("Content-Type", None)
        return answer
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(raw, status=status, content_type="application/json; charset=utf-8")


def refusal_answer(refusal: Refusal) -> Response:
    """Error answers are not signed: clients must not expect it of them."""
    answer = json_answer(refusal.body(), refusal.status)
    answer.headers["Request-ID"] = request_id(refusal.number)
    return answer


def request_id(number: int = 0) -> str:
    """What the platform's support asks for; the number after the last hyphen is 0 when all went well."""
    return f"08{uuid.uuid4().hex[:24].upper()}-{number}"


def sign(answer: Response, pair: KeyPair, now: float, *, wrong: bool) -> Response:
    for name, value in signature_headers(pair, answer.get_data(), now, wrong=wrong).items():
        answer.headers[name] = value
    return answer
