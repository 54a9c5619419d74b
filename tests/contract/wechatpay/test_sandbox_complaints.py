"""The state machine of complaints and its refusals, by a bare signing client."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sandbox_pay_kit import BareClient, Shop, code_of, open_shop

from sandbox.wechatpay.complaints import Complaint
from sandbox.wechatpay.refusals import WrongMoment
from sandbox.wechatpay.samples import SAMPLES
from sandbox.wechatpay.times import beijing_date

BASE = "/v3/merchant-service"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with open_shop() as running:
        yield running


@pytest.fixture
def client(shop: Shop) -> Iterator[BareClient]:
    made = BareClient(shop, shop.public)
    yield made
    made.close()


def complain(shop: Shop, problem_type: str = "OTHERS", immediate: bool = False) -> Complaint:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "商品")
    return shop.pay.customer_complains(
        shop.public.id, payment, "请处理", problem_type=problem_type, immediate=immediate
    )


def reply(shop: Shop, complaint: Complaint, text: str = "您好", **more: object) -> dict[str, object]:
    return {"complainted_mchid": shop.public.id, "response_content": text, **more}


def at(complaint: Complaint, call: str = "") -> str:
    return f"{BASE}/complaints-v2/{complaint.id}{call}"


def test_list_window_pages_and_counts(shop: Shop, client: BareClient) -> None:
    first, second, third = (complain(shop) for _ in range(3))
    today = beijing_date(shop.world.clock.now())
    window = f"begin_date={today - timedelta(days=30)}&end_date={today}"
    page = client.get(f"{BASE}/complaints-v2?{window}&limit=2").json()
    assert [ticket["complaint_id"] for ticket in page["data"]] == [third.id, second.id]
    assert page["total_count"] >= 3
    rest = client.get(f"{BASE}/complaints-v2?{window}&limit=2&offset=2").json()
    assert rest["data"][0]["complaint_id"] == first.id
    assert "total_count" not in rest
    assert "data" not in client.get(f"{BASE}/complaints-v2?{window}&offset=900").json()
    tomorrow = today + timedelta(days=1)
    empty = client.get(f"{BASE}/complaints-v2?begin_date={tomorrow}&end_date={tomorrow}").json()
    assert (empty["data"], empty["total_count"]) == ([], 0)


def test_the_list_sees_beijing_days(shop: Shop, client: BareClient) -> None:
    now = shop.world.clock.now()
    to_evening = (now.replace(hour=17, minute=0) - now) % timedelta(days=1)  # 01:00 of the next day in Beijing
    shop.world.clock.advance(to_evening)
    try:
        complaint = complain(shop)
        utc_day = shop.world.clock.now().date()
        day = utc_day + timedelta(days=1)
        found = client.get(f"{BASE}/complaints-v2?begin_date={day}&end_date={day}").json()["data"]
        assert complaint.id in [ticket["complaint_id"] for ticket in found]
        earlier = client.get(f"{BASE}/complaints-v2?begin_date={utc_day}&end_date={utc_day}").json()["data"]
        assert complaint.id not in [ticket["complaint_id"] for ticket in earlier]
        assert found[0]["complaint_time"].startswith(f"{day}T01:00")
        assert found[0]["complaint_time"].endswith("+08:00")
    finally:
        shop.world.clock.advance(-to_evening)


@pytest.mark.parametrize(
    "query",
    [
        "begin_date=2026-01-01&end_date=2026-02-01",
        "begin_date=2026-01-02&end_date=2026-01-01",
        "begin_date=2026-01-01",
        "begin_date=20260101&end_date=2026-01-01",
        "begin_date=2026-01-01&end_date=2026-01-01&limit=51",
        "begin_date=2026-01-01&end_date=2026-01-01&limit=0",
        "begin_date=2026-01-01&end_date=2026-01-01&offset=-1",
    ],
)
def test_a_wrong_list_query_is_refused(client: BareClient, query: str) -> None:
    assert code_of(client.get(f"{BASE}/complaints-v2?{query}")) == (400, "PARAM_ERROR")


def test_openid_stands_in_the_detail_only(shop: Shop, client: BareClient) -> None:
    complaint = complain(shop)
    today = beijing_date(shop.world.clock.now())
    listed = client.get(f"{BASE}/complaints-v2?begin_date={today}&end_date={today}").json()["data"][0]
    detail = client.get(at(complaint)).json()
    assert detail["payer_openid"] == complaint.openid
    assert "payer_openid" not in listed
    assert shop.public.keys.unseal(listed["payer_phone"]) == "13800138000"


def test_somebody_elses_and_unknown_complaints(shop: Shop, client: BareClient) -> None:
    foreign = shop.pay.customer_complains(shop.certified.id, None, "别家的", problem_type="OTHERS")
    assert code_of(client.get(at(foreign))) == (403, "NO_AUTH")
    answer = client.post(at(foreign, "/response"), reply(shop, foreign))
    assert (answer.status_code, answer.json()["message"]) == (403, "您暂无权限为该投诉单提交商户回复")
    assert code_of(client.get(f"{BASE}/complaints-v2/404")) == (400, "PARAM_ERROR")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"response_content": ""}, (400, "PARAM_ERROR")),
        ({"response_content": "长" * 501}, (400, "PARAM_ERROR")),
        ({"response_content": "抱歉😀"}, (400, "PARAM_ERROR")),
        ({"complaint_id": "1"}, (400, "PARAM_ERROR")),
        ({"response_images": ["nobody-uploaded-this"]}, (400, "PARAM_ERROR")),
        ({"response_images": ["a", "b", "c", "d", "e"]}, (400, "PARAM_ERROR")),
        ({"jump_url": "https://example.com"}, (400, "PARAM_ERROR")),
        ({"jump_url": "https://example.com", "jump_url_text": "查看"}, (403, "NO_AUTH")),
        ({"complainted_mchid": "1900000110"}, (403, "NO_AUTH")),
    ],
)
def test_a_wrong_reply_is_refused_and_changes_nothing(
    shop: Shop, client: BareClient, more: dict[str, object], expected: tuple[int, str]
) -> None:
    complaint = complain(shop)
    assert code_of(client.post(at(complaint, "/response"), reply(shop, complaint) | more)) == expected
    assert client.get(at(complaint)).json()["complaint_state"] == "PENDING"


def test_reply_complete_continue(shop: Shop, client: BareClient) -> None:
    complaint = complain(shop)
    assert client.post(at(complaint, "/response"), reply(shop, complaint, "长" * 500)).status_code == 204
    told = client.get(at(complaint)).json()
    assert (told["complaint_state"], told["incoming_user_response"]) == ("PROCESSING", False)
    shop.pay.customer_writes(complaint.id, "还没好")
    assert client.get(at(complaint)).json()["incoming_user_response"] is True
    own = {"complainted_mchid": shop.public.id}
    assert client.post(at(complaint, "/complete"), own).status_code == 204
    assert code_of(client.post(at(complaint, "/complete"), own)) == (400, "INVALID_REQUEST")
    late = client.post(at(complaint, "/response"), reply(shop, complaint))
    assert (code_of(late), late.json()["message"]) == ((400, "INVALID_REQUEST"), "提交商户回复失败，请稍后重试")
    with pytest.raises(WrongMoment):
        shop.pay.customer_writes(complaint.id, "？")
    shop.pay.customer_continues(complaint.id, "问题又来了")
    told = client.get(at(complaint)).json()
    assert (told["complaint_state"], told["user_complaint_times"]) == ("PENDING", 2)


def test_refund_decision_rules(shop: Shop, client: BareClient) -> None:
    other, wanted = complain(shop), complain(shop, "REFUND")
    refused = client.post(at(other, "/update-refund-progress"), {"action": "APPROVE"})
    assert refused.json()["message"] == "非极速退款单据, 不能对本单据进行退款进度更新"
    target = at(wanted, "/update-refund-progress")
    both = {"action": "REJECT", "reject_reason": "不退", "launch_refund_day": 1}
    assert code_of(client.post(target, both)) == (400, "PARAM_ERROR")
    assert code_of(client.post(target, {"action": "MAYBE"})) == (400, "PARAM_ERROR")
    assert code_of(client.post(target, {"action": "APPROVE", "complainted_mchid": "1"})) == (400, "PARAM_ERROR")
    assert client.post(target, {"action": "APPROVE", "launch_refund_day": 3}).status_code == 204
    assert client.get(at(wanted)).json()["complaint_state"] == "PENDING"  # approval alone moves nothing
    again = client.post(target, {"action": "REJECT", "reject_reason": "不退"})
    assert again.json()["message"] == "当前单据状态不支持操作, 请检查是否重复调用"


def test_immediate_service_is_processed_once(shop: Shop, client: BareClient) -> None:
    complaint = complain(shop, immediate=True)
    block = {"type": "TEXT", "text": {"text": "正在核实", "color": "DEFAULT", "is_bold": False}}
    body = {"complainted_mchid": shop.public.id, "message": {"blocks": [block]}, "idempotent_id": "a-1"}
    target = at(complaint, "/response-immediate-service")
    first, second = client.post(target, body), client.post(target, body)
    assert first.json() == second.json()
    records = client.get(at(complaint, "/negotiation-historys")).json()["data"]
    assert sum(record["operate_type"] == "MERCHANT_RESPONSE" for record in records) == 1
    assert records[0]["normal_message"]["blocks"] == [block]
    broken = body | {"message": {"blocks": [{"type": "VIDEO"}]}, "idempotent_id": "a-2"}
    assert code_of(client.post(target, broken)) == (400, "PARAM_ERROR")


@pytest.mark.parametrize("shape", ["object", "array"])
def test_history_media_in_both_shapes(shop: Shop, client: BareClient, shape: str) -> None:
    complaint = shop.pay.customer_complains(shop.public.id, None, "见图", problem_type="OTHERS", images=1)
    shop.pay.history_media = shape
    media = client.get(at(complaint, "/negotiation-historys")).json()["data"][-1]["complaint_media_list"]
    shop.pay.history_media = "object"
    (url,) = (media if shape == "object" else media[0])["media_url"]
    answer = client.get(url.removeprefix(shop.url))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert "Wechatpay-Signature" not in answer.headers


def upload(client: BareClient, name: str, content: bytes, *, digest: str = "", boundary: bool = True) -> str:
    meta = json.dumps({"filename": name, "sha256": digest or hashlib.sha256(content).hexdigest()})
    raw = (
        b'--xyz\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n'
        + meta.encode()
        + f'\r\n--xyz\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode()
        + b"Content-Type: image/png\r\n\r\n"
        + content
        + b"\r\n--xyz--\r\n"
    )
    kind = "multipart/form-data" + ("; boundary=xyz" if boundary else "")
    answer = client.post(f"{BASE}/images/upload", raw=raw, signed_body=meta.encode(), headers={"Content-Type": kind})
    return str(answer.json().get("media_id") or answer.json()["code"])


def test_uploads(shop: Shop, client: BareClient) -> None:
    media_id = upload(client, "a.png", b"\x89PNG", boundary=True)
    assert media_id in shop.pay.pictures
    assert upload(client, "a.png", b"\x89PNG", boundary=False) in shop.pay.pictures
    assert upload(client, "a.gif", b"GIF") == "PARAM_ERROR"
    assert upload(client, "a.png", b"x", digest="0" * 64) == "PARAM_ERROR"
    assert upload(client, "a.png", b"x" * (2 * 1024 * 1024 + 1)) == "PARAM_ERROR"
    complaint = complain(shop)
    assert (
        client.post(at(complaint, "/response"), reply(shop, complaint, response_images=[media_id])).status_code == 204
    )
    record = client.get(at(complaint, "/negotiation-historys")).json()["data"][0]
    own = client.get(record["image_list"][0].removeprefix(shop.url))
    assert code_of(own) == (400, "PARAM_ERROR")  # one's own uploads cannot be had back


def test_calls_a_minute_are_limited(shop: Shop, client: BareClient) -> None:
    shop.pay.limits.per_minute["complete"] = 2
    complaint = complain(shop)
    target, own = at(complaint, "/complete"), {"complainted_mchid": shop.public.id}
    # Other tests of this module may have completed something in the same minute.
    answers = [client.post(target, own).status_code for _ in range(3)]
    assert answers[-1] == 429
    shop.pay.limits.enabled = False
    assert client.post(target, own).status_code in (204, 400)
    shop.pay.limits.enabled = True
    shop.pay.limits.per_minute["complete"] = 1500


def test_every_sample_passes_through_unharmed(shop: Shop, client: BareClient) -> None:
    for sample in SAMPLES:
        complaint = shop.pay.complain_with_sample(shop.public.id, sample)
        told = client.get(at(complaint)).json()
        assert told["complaint_detail"] == sample.text
        assert told["problem_type"] == sample.problem_type
        assert len(told.get("complaint_media_list", [{"media_url": []}])[0]["media_url"]) == sample.images
    assert max(len(sample.text.encode()) for sample in SAMPLES) >= 40_000
    assert json.loads(json.dumps(shop.pay.snapshot()))["complaints"]
