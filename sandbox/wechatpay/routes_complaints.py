"""The routes of "消费者投诉2.0". docs/platforms/wechatpay.md ("Complaints: list and details")."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from flask import Blueprint, Response, g, request

from sandbox.wechatpay.bodies import Body, check_notify_url, page_number
from sandbox.wechatpay.complaints import Complaint, Decision
from sandbox.wechatpay.core import Core
from sandbox.wechatpay.gate import caller
from sandbox.wechatpay.pictures import Upload
from sandbox.wechatpay.refusals import Refusal, no_right, wrong_field
from sandbox.wechatpay.rich_messages import check_rich_message
from sandbox.wechatpay.times import beijing_date
from sandbox.wechatpay.wire import json_answer

BASE = "/v3/merchant-service"
MOST_DAYS = 30
_NO_REPLY = "您暂无权限为该投诉单提交商户回复"
_NO_LINKS = "此商户号暂不支持发送外部链接,如有需要请联系对接的微信支付行业运营评估配置"


def add(blueprint: Blueprint, pay: Core) -> None:
    """Hang the routes on the blueprint."""
    _add_reading(blueprint, pay)
    _add_writing(blueprint, pay)
    _add_refund_decision(blueprint, pay)
    _add_notification_address(blueprint, pay)
    _add_pictures(blueprint, pay)


def _media_url(media_id: str) -> str:
    return f"{request.host_url}v3/merchant-service/images/{quote(media_id, safe='')}"


def _day(name: str) -> date:
    text = request.args.get(name, "")
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise wrong_field(name, f"{name} 应为YYYY-MM-DD格式的日期", text) from None


def _add_reading(blueprint: Blueprint, pay: Core) -> None:
    def as_json(complaint: Complaint, *, detail: bool) -> dict[str, object]:
        return complaint.as_json(_media_url, caller().keys.seal, detail=detail)

    @blueprint.get(f"{BASE}/complaints-v2")
    def listed() -> Response:
        merchant = caller()
        pay.limits.count(merchant.id, "list")
        first, last = _day("begin_date"), _day("end_date")
        if first > last or (last - first).days > MOST_DAYS:
            raise wrong_field("end_date", "查询日期跨度不能超过30天，且结束日期不能早于开始日期")
        limit = page_number(request.args.get("limit"), "limit", default=10, least=1, most=50)
        offset = page_number(request.args.get("offset"), "offset", default=0, least=0, most=10**6)
        if request.args.get("complainted_mchid", merchant.id) != merchant.id:
            raise no_right("您暂无权限查询该商户的投诉单")
        with pay.world.lock:
            found = [
                complaint
                for complaint in reversed(pay.complaints.values())
                if complaint.merchant_id == merchant.id and first <= beijing_date(complaint.created_at) <= last
            ]
            page = [as_json(complaint, detail=False) for complaint in found[offset : offset + limit]]
        answer: dict[str, object] = {"limit": limit, "offset": offset}
        if page or offset == 0:  # an empty later page comes without `data`
            answer["data"] = page
        if offset == 0:
            answer["total_count"] = len(found)
        return json_answer(answer)

    @blueprint.get(f"{BASE}/complaints-v2/<complaint_id>")
    def detail(complaint_id: str) -> Response:
        with pay.world.lock:
            complaint = pay.own_complaint(caller(), complaint_id, "您暂无权限查询该投诉单")
            return json_answer(as_json(complaint, detail=True))

    @blueprint.get(f"{BASE}/complaints-v2/<complaint_id>/negotiation-historys")
    def history(complaint_id: str) -> Response:
        pay.limits.count(caller().id, "history")
        limit = page_number(request.args.get("limit"), "limit", default=100, least=1, most=300)
        offset = page_number(request.args.get("offset"), "offset", default=0, least=0, most=10**6)
        with pay.world.lock:
            records = pay.own_complaint(caller(), complaint_id, "您暂无权限查询该投诉单").history
            newest_first = records[::-1][offset : offset + limit]
            page = [record.as_json(_media_url, pay.history_media) for record in newest_first]
            total = len(records)
        return json_answer({"data": page, "limit": limit, "offset": offset, "total_count": total})


def _complained_merchant(body: Body, refusal: str) -> None:
    if body.text("complainted_mchid", 64) != caller().id:
        raise no_right(refusal)


def _add_writing(blueprint: Blueprint, pay: Core) -> None:
    @blueprint.post(f"{BASE}/complaints-v2/<complaint_id>/response")
    def reply(complaint_id: str) -> Response:
        merchant = caller()
        pay.limits.count(merchant.id, "reply")
        body = Body.parse(
            request.get_data(),
            {
                "complainted_mchid",
                "response_content",
                "response_images",
                "jump_url",
                "jump_url_text",
                "mini_program_jump_info",
            },
        )
        _complained_merchant(body, _NO_REPLY)
        text = body.text("response_content", 500)
        images = body.texts("response_images", 4)
        url, label = body.text("jump_url", 512, required=False), body.text("jump_url_text", 10, required=False)
        program = body.inner_if_there("mini_program_jump_info", {"appid", "path", "text"})
        if program is not None:
            for key in ("appid", "path", "text"):
                program.text(key, 512)
        if bool(url) != bool(label) or (url and not url.startswith("https://")):
            raise wrong_field("/jump_url", "跳转链接须为https，且须与跳转链接文案同时填写")
        if (url or program is not None) and not merchant.jump_urls_allowed:
            raise no_right(_NO_LINKS)
        with pay.world.lock:
            complaint = pay.own_complaint(merchant, complaint_id, _NO_REPLY)
            pay.check_uploads(merchant, images, "response_images")
            complaint.replied(pay.world.clock.now(), merchant.name, text, images)
            pay.told_of_own_action(complaint, "MERCHANT_RESPONSE")
        return json_answer(None)

    @blueprint.post(f"{BASE}/complaints-v2/<complaint_id>/response-immediate-service")
    def serve_at_once(complaint_id: str) -> Response:
        merchant = caller()
        pay.limits.count(merchant.id, "reply")
        body = Body.parse(request.get_data(), {"complainted_mchid", "message", "idempotent_id"})
        _complained_merchant(body, _NO_REPLY)
        once = body.text("idempotent_id", 128)
        message = body.inner("message", {"blocks", "sender_identity", "custom_data"})
        check_rich_message(message)
        with pay.world.lock:
            complaint = pay.own_complaint(merchant, complaint_id, _NO_REPLY)
            log_id = complaint.served_at_once(pay.world.clock.now(), merchant.name, message.raw(), once)
            pay.told_of_own_action(complaint, "MERCHANT_RESPONSE")
        return json_answer({"log_id": log_id})

    @blueprint.post(f"{BASE}/complaints-v2/<complaint_id>/complete")
    def complete(complaint_id: str) -> Response:
        merchant = caller()
        pay.limits.count(merchant.id, "complete")
        body = Body.parse(request.get_data(), {"complainted_mchid"})
        refusal = "您暂无权限为该投诉单反馈处理完成"
        _complained_merchant(body, refusal)
        with pay.world.lock:
            complaint = pay.own_complaint(merchant, complaint_id, refusal)
            complaint.completed(pay.world.clock.now(), merchant.name)
            pay.told_of_own_action(complaint, "MERCHANT_CONFIRM_COMPLETE")
        return json_answer(None)


def _add_refund_decision(blueprint: Blueprint, pay: Core) -> None:
    @blueprint.post(f"{BASE}/complaints-v2/<complaint_id>/update-refund-progress")
    def decide(complaint_id: str) -> Response:
        merchant = caller()
        body = Body.parse(
            request.get_data(), {"action", "launch_refund_day", "reject_reason", "reject_media_list", "remark"}
        )
        action = body.text("action", 32)
        if action not in ("APPROVE", "REJECT"):
            raise wrong_field("/action", "审批动作不在枚举范围内", action)
        day = body.number_if_there("launch_refund_day", least=0, most=365)
        reason = body.text("reject_reason", 200, required=False)
        remark = body.text("remark", 200, required=False)
        media = body.texts("reject_media_list", 4)
        if action == "REJECT" and day is not None:
            raise wrong_field("/launch_refund_day", "拒绝退款时不能填写预计发起退款时间", day)
        if action == "APPROVE" and (reason or media):
            raise wrong_field("/reject_reason", "同意退款时不能填写拒绝原因或举证图片")
        with pay.world.lock:
            complaint = pay.own_complaint(merchant, complaint_id)
            pay.check_uploads(merchant, media, "reject_media_list")
            decision = Decision(action)
            complaint.decided(pay.world.clock.now(), merchant.name, decision, reason or remark, media)
            pushed = "MERCHANT_APPROVE_REFUND" if decision is Decision.APPROVE else "MERCHANT_REJECT_REFUND"
            pay.told_of_own_action(complaint, pushed)
        return json_answer(None)


def _add_notification_address(blueprint: Blueprint, pay: Core) -> None:
    path = f"{BASE}/complaint-notifications"

    def answer() -> Response:
        return json_answer({"mchid": caller().id, "url": caller().complaint_notify_url})

    def known() -> None:
        if not caller().complaint_notify_url:
            raise Refusal(400, "RESOURCE_NOT_EXISTS", "投诉通知回调地址不存在")

    def take() -> None:
        url = Body.parse(request.get_data(), {"url"}).text("url", 255)
        check_notify_url(url, 255)
        caller().complaint_notify_url = url
        pay.world.changed()

    @blueprint.post(path)
    def create_address() -> Response:
        with pay.world.lock:
            if caller().complaint_notify_url:
                raise Refusal(400, "INVALID_REQUEST", "投诉通知回调地址已存在")
            take()
            return answer()

    @blueprint.get(path)
    def read_address() -> Response:
        with pay.world.lock:
            known()
            return answer()

    @blueprint.put(path)
    def change_address() -> Response:
        with pay.world.lock:
            known()
            take()
            return answer()

    @blueprint.delete(path)
    def remove_address() -> Response:
        with pay.world.lock:
            known()
            caller().complaint_notify_url = ""
            pay.world.changed()
        return json_answer(None)


def _add_pictures(blueprint: Blueprint, pay: Core) -> None:
    @blueprint.post(f"{BASE}/images/upload")
    def upload() -> Response:
        pay.limits.count(caller().id, "upload")
        sent = Upload.read(request.headers.get("Content-Type", ""), request.get_data())
        content_type = sent.checked()
        with pay.world.lock:
            return json_answer({"media_id": pay.add_picture(caller(), content_type, sent.content)})

    @blueprint.get(f"{BASE}/images/<path:media_id>")
    def download(media_id: str) -> Response:
        with pay.world.lock:
            picture = pay.pictures.get(media_id)
        if picture is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "图片不存在")
        if picture.merchant_id != caller().id:
            raise no_right("您暂无权限下载该图片")
        if not picture.by_customer:
            raise wrong_field("media_id", "商户上传的图片不支持下载")
        g.pay_unsigned = True
        return Response(picture.content, content_type=picture.content_type)
