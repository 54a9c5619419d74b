"""Our adapter's complaints and pictures against the sandbox's WeChat Pay, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone

import pytest
from adapter_kit import Shop, shop_in

from adapters.errors import (
    BadRequest,
    Conflict,
    NotFound,
    NotGranted,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from adapters.ports.complaints import ComplaintsPort
from adapters.values import Author, ComplaintState
from sandbox.faults import CallFault
from sandbox.server import Sandbox

MERCHANT = "1900000109"
CHINA = timezone(timedelta(hours=8))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[Shop]:
    with shop_in(sandbox, MERCHANT) as opened:
        yield opened


def complain(shop: Shop, text: str = "没收到货", **more: object) -> str:
    pay = shop.sandbox.wechatpay
    payment = pay.add_payment(MERCHANT, 12_800, "帆布鞋")
    return pay.customer_complains(MERCHANT, payment, text, **more).id  # type: ignore[arg-type]  # passed through for brevity


def test_a_complaint_is_told_whole(shop: Shop) -> None:
    text = '<at id=all></at> **退钱** [点我](http://x) "引号" \x07 😀 </text_tag>'
    complaint_id = complain(shop, text, phone="13912345678", images=2, user_tags=("TRUSTED",), apply_refund_fen=500)
    told = shop.complaints.detail(complaint_id)
    assert (told.id, told.text, told.merchant_id) == (complaint_id, text, MERCHANT)
    assert (told.state, told.problem_type, told.requested_refund_fen) == (ComplaintState.PENDING, "REFUND", 500)
    assert told.payer_phone == "13912345678"
    assert told.payer_openid
    assert told.orders[0].amount_fen == 12_800
    assert told.user_waits
    assert told.user_tags == ("TRUSTED",)
    assert len(told.picture_urls) == 2
    assert abs(shop.now() - told.created_at) < timedelta(minutes=1)


def test_the_list_has_each_complaint_once_over_pages_and_windows(shop: Shop) -> None:
    made = {complain(shop) for _ in range(55)}
    today = shop.now().astimezone(CHINA).date()
    found = [one.id for one in shop.complaints.listed(today - timedelta(days=70), today)]
    assert len(found) == len(set(found))
    assert made <= set(found)
    assert not list(shop.complaints.listed(today - timedelta(days=9), today - timedelta(days=5)))
    with pytest.raises(ValueError, match="after"):
        list(shop.complaints.listed(today, today - timedelta(days=1)))


def test_the_history_is_told_oldest_first(shop: Shop) -> None:
    complaint_id = complain(shop, "第一句", images=1)
    shop.complaints.reply(complaint_id, MERCHANT, "您好", idempotency_key="k")
    shop.sandbox.wechatpay.customer_writes(complaint_id, "第二句", images=2)
    shop.sandbox.wechatpay.platform_writes(complaint_id, "请尽快处理")
    shop.sandbox.wechatpay.customer_applies_platform(complaint_id, "不理我")
    for shape in ("object", "array"):
        shop.sandbox.wechatpay.history_media = shape
        history = shop.complaints.history(complaint_id)
        told = [(entry.author, entry.text) for entry in history if entry.author is not Author.SYSTEM]
        assert told[:4] == [
            (Author.CUSTOMER, "第一句"),
            (Author.MERCHANT, "您好"),
            (Author.CUSTOMER, "第二句"),
            (Author.PLATFORM, "请尽快处理"),
        ]
        assert told[4][0] is Author.CUSTOMER
        assert "不理我" in told[4][1]
        assert [len(entry.picture_urls) for entry in history if entry.kind == "USER_RESPONSE"] == [2]
    shop.sandbox.wechatpay.history_media = "object"


def test_reply_complete_and_complain_again(shop: Shop) -> None:
    complaint_id = complain(shop)
    complaints = shop.complaints
    complaints.reply(complaint_id, MERCHANT, "已联系仓库，今天补发。\n抱歉", idempotency_key="a")
    assert complaints.detail(complaint_id).state is ComplaintState.PROCESSING
    assert not complaints.detail(complaint_id).user_waits
    complaints.complete(complaint_id, MERCHANT)
    assert complaints.detail(complaint_id).state is ComplaintState.PROCESSED
    with pytest.raises(Conflict):
        complaints.complete(complaint_id, MERCHANT)
    with pytest.raises(Conflict):
        complaints.reply(complaint_id, MERCHANT, "还有一句", idempotency_key="b")
    shop.sandbox.wechatpay.customer_continues(complaint_id, "还是没收到")
    again = complaints.detail(complaint_id)
    assert (again.state, again.times) == (ComplaintState.PENDING, 2)


def test_immediate_service_has_a_call_of_its_own_that_counts_once(shop: Shop) -> None:
    complaint_id = complain(shop, immediate=True)
    told = shop.complaints.detail(complaint_id)
    assert told.immediate_service
    for _ in range(3):
        shop.complaints.reply(complaint_id, MERCHANT, "马上处理", immediate=True, idempotency_key="reply-17")
    texts = [entry.text for entry in shop.complaints.history(complaint_id) if entry.author is Author.MERCHANT]
    assert texts == ["马上处理"]
    assert shop.complaints.detail(complaint_id).state is ComplaintState.PROCESSING
    with pytest.raises(BadRequest, match="idempotency"):
        shop.complaints.reply(complaint_id, MERCHANT, "马上处理", immediate=True, idempotency_key="")


def test_what_the_platform_would_refuse_is_not_sent(shop: Shop) -> None:
    complaint_id = complain(shop)
    before = shop.calls(method="POST")
    for text in ("", "好的😀", "字" * 501):
        objection = shop.complaints.check_reply(text)
        assert objection is not None
        with pytest.raises(BadRequest) as caught:
            shop.complaints.reply(complaint_id, MERCHANT, text, idempotency_key="a")
        assert caught.value.code == objection.code
    with pytest.raises(BadRequest):
        shop.complaints.reject_refund(complaint_id, MERCHANT, "字" * 201)
    with pytest.raises(BadRequest):
        shop.complaints.approve_refund(complaint_id, MERCHANT, remark="😀")
    assert shop.calls(method="POST") == before


def test_refund_decisions(shop: Shop) -> None:
    approved, rejected, other = complain(shop), complain(shop), complain(shop, problem_type="OTHERS")
    complaints = shop.complaints
    complaints.approve_refund(approved, MERCHANT, launch_in_days=1, remark="同意")
    assert complaints.detail(approved).state is ComplaintState.PENDING, "an approval moves neither money nor state"
    with pytest.raises(Conflict):
        complaints.approve_refund(approved, MERCHANT)
    complaints.reject_refund(rejected, MERCHANT, "商品已签收", remark="不同意")
    assert complaints.detail(rejected).state is ComplaintState.PROCESSED
    assert "商品已签收" in complaints.history(rejected)[-1].text
    with pytest.raises(Conflict, match="非极速退款"):
        complaints.approve_refund(other, MERCHANT)


def test_unknown_and_foreign_complaints(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.complaints.detail("200201820200101080076610000")
    with pytest.raises(NotFound):
        shop.complaints.detail("../../refund/domestic/refunds/x")
    complaint_id = complain(shop)
    with pytest.raises(NotGranted):
        shop.complaints.reply(complaint_id, "1900000777", "您好", idempotency_key="a")
    with shop_in(shop.sandbox, "1900000200") as other, pytest.raises(NotGranted):
        other.complaints.detail(complaint_id)


def test_pictures(shop: Shop) -> None:
    complaint_id = complain(shop, images=1)
    picture = shop.complaints.picture(shop.complaints.detail(complaint_id).picture_urls[0])
    assert picture.content_type == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    with pytest.raises(NotFound):
        shop.complaints.picture(f"{shop.sandbox.url}/v3/merchant-service/images/none")


@pytest.mark.parametrize("kind", [CallFault.TOO_MANY, CallFault.SERVER_ERROR, CallFault.DOWN, CallFault.BAD_SIGNATURE])
def test_a_read_survives_two_failures(shop: Shop, kind: CallFault) -> None:
    complaint_id = complain(shop)
    shop.fault(kind, "/complaints-v2/", times=2)
    assert shop.complaints.detail(complaint_id).id == complaint_id


@pytest.mark.parametrize(("kind", "error"), [(CallFault.TOO_MANY, RateLimited), (CallFault.DOWN, Unavailable)])
def test_a_read_says_so_when_the_platform_stays_down(shop: Shop, kind: CallFault, error: type[Exception]) -> None:
    complaint_id = complain(shop)
    fault = shop.fault(kind, "/complaints-v2/", times=-1)
    with pytest.raises(error):
        shop.complaints.detail(complaint_id)
    assert fault.struck == 3


@pytest.mark.parametrize(
    "kind",
    [
        CallFault.DROP_ANSWER,
        CallFault.ERROR_AFTER,
        CallFault.BAD_SIGNATURE,
        CallFault.LATE,
        CallFault.SERVER_ERROR,
        CallFault.DOWN,
    ],
)
def test_a_reply_without_a_trustworthy_answer_is_unknown_and_the_history_tells(shop: Shop, kind: CallFault) -> None:
    complaint_id = complain(shop)
    complaints = shop.port(ComplaintsPort, timeout_seconds=0.4)
    shop.fault(kind, "/response", method="POST", seconds=0.8)
    with pytest.raises(OutcomeUnknown):
        complaints.reply(complaint_id, MERCHANT, "您好", idempotency_key="a")
    shop.sandbox.world.faults.clear()
    replies = [entry for entry in complaints.history(complaint_id) if entry.author is Author.MERCHANT]
    assert len(replies) == (0 if kind in (CallFault.SERVER_ERROR, CallFault.DOWN) else 1)


def test_too_many_replies_are_told_as_such(shop: Shop) -> None:
    complaint_id = complain(shop)
    shop.fault(CallFault.TOO_MANY, "/response")
    with pytest.raises(RateLimited):
        shop.complaints.reply(complaint_id, MERCHANT, "您好", idempotency_key="a")


def test_one_adapter_serves_many_threads(shop: Shop) -> None:
    ids = [complain(shop) for _ in range(4)]
    complaints = shop.complaints
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(complaints.detail, ids * 10))
    assert [one.id for one in told] == ids * 10
