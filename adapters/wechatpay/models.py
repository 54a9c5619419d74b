"""What the platform writes, read so tolerantly that no key, type or value of its JSON can stop us.

Unknown keys are ignored, missing and wrongly typed ones become empty, enum values stay raw.
docs/platforms/wechatpay.md ("Complaints: list and details", "Negotiation history", "Refunds").
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

CHINA = timezone(timedelta(hours=8))
_LARGEST = 2**53


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST else ""


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().lstrip("-").isascii() and value.strip().lstrip("-").isdigit():
        value = int(value) if len(value) <= 17 else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _LARGEST:
        return None
    return value


def _flag(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _words(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(word for word in map(_word, items) if word)


def _objects(value: Any) -> list[dict[str, Any]]:
    """A list of objects; one object alone counts as a list of one (history media come both ways)."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


Word = Annotated[str, BeforeValidator(_word)]
Whole = Annotated[int | None, BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
RawObjects = Annotated[list[dict[str, Any]], BeforeValidator(_objects)]
RawObject = Annotated[dict[str, Any], BeforeValidator(_object)]


class Wire(BaseModel):
    """Anything of the platform's."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class OrderWire(Wire):
    transaction_id: Word = ""
    out_trade_no: Word = ""
    amount: Whole = None


class MediaWire(Wire):
    media_type: Word = ""
    media_url: Words = ()


class ComplaintWire(Wire):
    complaint_id: Word = ""
    complaint_time: Word = ""
    complaint_detail: Word = ""
    complaint_state: Word = ""
    complainted_mchid: Word = ""  # the official spelling
    payer_phone: Word = ""
    payer_openid: Word = ""
    complaint_order_info: Annotated[list[OrderWire], BeforeValidator(_objects)] = []
    complaint_media_list: Annotated[list[MediaWire], BeforeValidator(_objects)] = []
    complaint_full_refunded: Flag = False
    incoming_user_response: Flag = False
    user_complaint_times: Whole = None
    problem_description: Word = ""
    problem_type: Word = ""
    apply_refund_amount: Whole = None
    user_tag_list: Words = ()
    in_platform_service: Flag = False
    need_immediate_service: Flag = False


class RecordWire(Wire):
    log_id: Word = ""
    operator: Word = ""
    operate_time: Word = ""
    operate_type: Word = ""
    operate_details: Word = ""
    image_list: Words = ()
    complaint_media_list: Annotated[list[MediaWire], BeforeValidator(_objects)] = []
    user_appy_platform_service_reason: Word = ""  # the official spelling
    user_appy_platform_service_reason_description: Word = ""
    normal_message: RawObject = {}
    click_message: RawObject = {}


class PageWire(Wire):
    """One page of a list; `data` may be absent, `total_count` stands only on the first."""

    data: RawObjects = []
    total_count: Whole = None


class RefundAmountWire(Wire):
    total: Whole = None
    refund: Whole = None


class RefundWire(Wire):
    """A refund; the API says `status` where the notification says `refund_status`."""

    refund_id: Word = ""
    out_refund_no: Word = ""
    transaction_id: Word = ""
    status: Word = ""
    refund_status: Word = ""
    success_time: Word = ""
    user_received_account: Word = ""
    amount: Annotated[RefundAmountWire, BeforeValidator(_object)] = RefundAmountWire()


class SealedWire(Wire):
    algorithm: Word = ""
    original_type: Word = ""
    ciphertext: Word = ""
    nonce: Word = ""
    associated_data: Word = ""


class EnvelopeWire(Wire):
    id: Word = ""
    create_time: Word = ""
    event_type: Word = ""
    resource_type: Word = ""
    summary: Word = ""
    resource: Annotated[SealedWire, BeforeValidator(_object)] = SealedWire()


def read_time(text: str) -> datetime | None:
    """RFC 3339, also without a zone (then China's) or as fourteen digits (seen in an official example)."""
    text = text.strip()
    try:
        if len(text) == 14 and text.isascii() and text.isdigit():
            text = f"{text[:8]}T{text[8:]}"
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo is not None else at.replace(tzinfo=CHINA)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
