"""Whatever JSON comes, reading it never fails, and what is documented is read rightly."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.json_reading import clean_text, read_object
from adapters.values import Author, ComplaintState, RefundState
from adapters.wechatpay.complaint_values import author_of, to_complaint, to_history
from adapters.wechatpay.models import ComplaintWire, EnvelopeWire, PageWire, RecordWire, RefundWire, Wire, read_time
from adapters.wechatpay.refunds import to_refund

NOW = datetime(2026, 3, 20, 6, 0, tzinfo=UTC)
many = settings(max_examples=50, deadline=None)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def broken(model: type[Wire]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with the documented keys, some missing, with anything in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(model.model_fields, junk))


def complaint(**told: Any) -> Any:
    wire = ComplaintWire.model_validate(told)
    return to_complaint(wire, phone="", account_merchant="1900000109", now=NOW)


@many
@given(broken(ComplaintWire))
def test_no_complaint_stops_us(told: dict[str, Any]) -> None:
    read = complaint(**told)
    assert read.created_at.tzinfo is UTC
    assert read.times >= 1
    assert all(isinstance(url, str) and url for url in read.picture_urls)
    assert read.requested_refund_fen is None or isinstance(read.requested_refund_fen, int)


@many
@given(st.lists(broken(RecordWire), max_size=5))
def test_no_history_stops_us(told: list[dict[str, Any]]) -> None:
    entries = to_history([RecordWire.model_validate(one) for one in told], NOW)
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)


@many
@given(broken(RefundWire), broken(PageWire), broken(EnvelopeWire))
def test_no_other_answer_stops_us(refund: dict[str, Any], page: dict[str, Any], envelope: dict[str, Any]) -> None:
    read = to_refund(RefundWire.model_validate(refund))
    assert isinstance(read.amount_fen, int)
    assert all(isinstance(row, dict) for row in PageWire.model_validate(page).data)
    assert isinstance(EnvelopeWire.model_validate(envelope).resource.nonce, str)


@many
@given(st.binary(max_size=60) | junk.map(lambda value: json.dumps(value).encode()))
def test_bytes_are_an_object_or_a_value_error(body: bytes) -> None:
    try:
        assert isinstance(read_object(body), dict)
    except ValueError:
        assert not body.startswith(b"{}")


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"a":' * 100_000, b'{"a":1' + b"0" * 5000 + b"}", b"\xff\xfe{}", b""]
)
def test_bodies_made_to_break_a_parser(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each has a message of its own
        read_object(body)


def test_texts_that_no_database_takes_are_mended() -> None:
    read = read_object(rb'{"a\ud800":["\ud83d\ude00 \ud83d \u0000"],"b":{"c":"\udc00"}}')
    assert read == {"a\ufffd": ["😀 \ufffd \ufffd"], "b": {"c": "\ufffd"}}
    assert clean_text("plain 文字") == "plain 文字"


def test_a_documented_complaint() -> None:
    read = complaint(
        complaint_id="200201820200101080076610000",
        complaint_time="2026-03-20T13:29:35.120+08:00",
        complaint_detail="<at id=all></at> 反馈一个重复扣费的问题",
        complaint_state="PENDING",
        complainted_mchid="1900012181",
        complaint_order_info=[{"transaction_id": "4200", "out_trade_no": "2020", "amount": 300, "new_key": 1}],
        complaint_full_refunded=False,
        incoming_user_response=True,
        user_complaint_times=2,
        complaint_media_list=[{"media_type": "USER_COMPLAINT_IMAGE", "media_url": ["https://a/1", "https://a/2"]}],
        problem_description="不满意商家服务",
        problem_type="REFUND",
        apply_refund_amount=10,
        user_tag_list=["TRUSTED", "BRAND_NEW_TAG"],
        need_immediate_service=True,
        in_platform_service=True,
    )
    assert read.created_at == datetime(2026, 3, 20, 5, 29, 35, 120_000, tzinfo=UTC)
    assert (read.state, read.raw_state) == (ComplaintState.PENDING, "PENDING")
    assert (read.orders[0].transaction_id, read.orders[0].amount_fen) == ("4200", 300)
    assert (read.times, read.requested_refund_fen, read.merchant_id) == (2, 10, "1900012181")
    assert read.user_waits
    assert read.immediate_service
    assert read.platform_assists
    assert not read.fully_refunded
    assert read.user_tags == ("TRUSTED", "BRAND_NEW_TAG")
    assert read.picture_urls == ("https://a/1", "https://a/2")


def test_undocumented_values_stay_raw() -> None:
    read = complaint(complaint_id="1", complaint_state="FROZEN", problem_type="NEW_TYPE")
    assert (read.state, read.raw_state, read.problem_type) == (ComplaintState.UNKNOWN, "FROZEN", "NEW_TYPE")
    assert (read.created_at, read.merchant_id) == (NOW, "1900000109")
    refund = to_refund(RefundWire.model_validate({"status": "THINKING"}))
    assert (refund.state, refund.raw_state) == (RefundState.UNKNOWN, "THINKING")


@pytest.mark.parametrize("shape", ["object", "array"])
def test_history_media_come_as_object_or_array(shape: str) -> None:
    media = {"media_type": "X", "media_url": ["https://a/1"]}
    wire = RecordWire.model_validate(
        {"image_list": ["https://a/1", "https://a/0"], "complaint_media_list": media if shape == "object" else [media]}
    )
    assert to_history([wire], NOW)[0].picture_urls == ("https://a/1", "https://a/0")


def test_history_is_oldest_first_and_each_record_once() -> None:
    def record(number: int, second: int) -> RecordWire:
        return RecordWire(
            log_id=str(number), operate_time=f"2026-03-20T13:00:{second:02}+08:00", operate_type="USER_RESPONSE"
        )

    newest_first = [record(4, 9), record(3, 5), record(2, 5), record(2, 5), record(1, 1)]
    assert [entry.id for entry in to_history(newest_first, NOW)] == ["1", "2", "3", "4"]
    oldest_first = [record(1, 1), record(2, 5), record(3, 5), record(4, 9)]
    assert [entry.id for entry in to_history(oldest_first, NOW)] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("kind", "operator", "author"),
    [
        ("USER_CREATE_COMPLAINT", "投诉人", Author.CUSTOMER),
        ("USER_CREATE_COMPLAINT_SYSTEM_MESSAGE", "", Author.SYSTEM),
        ("MERCHANT_REFUSE_RERUND", "", Author.MERCHANT),
        ("PLATFORM_HELP_APPLICATION", "", Author.PLATFORM),
        ("SERVICE_ORDER_CANCEL", "", Author.SYSTEM),
        ("BRAND_NEW_KIND", "投诉人", Author.CUSTOMER),
        ("BRAND_NEW_KIND", "商户客服", Author.MERCHANT),
        ("BRAND_NEW_KIND", "", Author.SYSTEM),
    ],
)
def test_who_took_a_step(kind: str, operator: str, author: Author) -> None:
    assert author_of(kind, operator) is author


def test_texts_of_a_rich_message_are_shown_in_order() -> None:
    wire = RecordWire.model_validate(
        {
            "operate_details": "见下",
            "normal_message": {
                "blocks": [
                    {"type": "TEXT", "text": {"text": "您好", "color": "DEFAULT"}},
                    {"type": "FAQ_LIST", "faq_list": {"faqs": [{"faq_title": "退款多久到账"}, {"faq_title": "其他"}]}},
                    {"type": "BUTTON_GROUP", "button_group": {"buttons": [{"text": "是"}, {"text": "否"}]}},
                    {"type": "LINK", "link": {"text": "详情", "action": {"jump_url": "https://x"}}},
                    {"type": "HOLOGRAM", "hologram": 1},
                ]
            },
            "click_message": {"message_content": "点了按钮"},
        }
    )
    expected = ["见下", "您好", "退款多久到账", "其他", "是", "否", "详情", "点了按钮"]
    assert to_history([wire], NOW)[0].text.split("\n") == expected


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-20T13:00:00+08:00", datetime(2026, 3, 20, 5, tzinfo=UTC)),
        ("2026-03-20T05:00:00Z", datetime(2026, 3, 20, 5, tzinfo=UTC)),
        ("2026-03-20T13:00:00.123+08:00", datetime(2026, 3, 20, 5, 0, 0, 123_000, tzinfo=UTC)),
        ("2026-03-20 13:00:00", datetime(2026, 3, 20, 5, tzinfo=UTC)),
        ("20180225112233", datetime(2018, 2, 25, 3, 22, 33, tzinfo=UTC)),
        ("0001-01-01T00:00:00+08:00", None),
        ("yesterday", None),
        ("99999999999999", None),
        ("", None),
    ],
)
def test_times(text: str, at: datetime | None) -> None:
    assert read_time(text) == at


@pytest.mark.parametrize(("value", "fen"), [(600, 600), (600.0, 600), ("600", 600), ("-5", -5)])
def test_amounts_are_whole_fen(value: object, fen: int) -> None:
    assert complaint(apply_refund_amount=value).requested_refund_fen == fen


@pytest.mark.parametrize(
    "value", [True, 6.5, "6.5", "6e2", None, [], {}, 10**400, "9" * 20, "٣", "²", "-", float("nan")]
)
def test_or_no_amount(value: object) -> None:
    assert complaint(apply_refund_amount=value).requested_refund_fen is None


def test_a_refund_reads_alike_from_the_api_and_from_a_notification() -> None:
    common = {"refund_id": "50", "out_refund_no": "r", "transaction_id": "42", "amount": {"total": 9, "refund": 4}}
    time = {"success_time": "2026-03-20T13:00:00+08:00"}
    told = to_refund(RefundWire.model_validate({**common, **time, "status": "SUCCESS"}))
    pushed = to_refund(RefundWire.model_validate({**common, **time, "refund_status": "SUCCESS"}))
    assert told == pushed
    assert (told.state, told.amount_fen, told.total_fen) == (RefundState.SUCCESS, 4, 9)
    assert told.succeeded_at == datetime(2026, 3, 20, 5, tzinfo=UTC)
