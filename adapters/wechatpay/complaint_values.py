"""The platform's complaints and negotiation records in our own words. Pure. docs/platforms/wechatpay.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from adapters.values import Author, ComplainedOrder, ComplaintDetails, ComplaintState, HistoryEntry
from adapters.wechatpay.models import ComplaintWire, MediaWire, RecordWire, read_time

STATES: Mapping[str, ComplaintState] = {
    "PENDING": ComplaintState.PENDING,
    "PROCESSING": ComplaintState.PROCESSING,
    "PROCESSED": ComplaintState.PROCESSED,
}

_PREFIXES = (
    ("USER_", Author.CUSTOMER),
    ("MERCHANT_", Author.MERCHANT),
    ("PLATFORM_", Author.PLATFORM),
    ("SERVICE_ORDER_", Author.SYSTEM),
    ("COMPLAINT_", Author.SYSTEM),
)
_OPERATORS = (
    ("投诉人", Author.CUSTOMER),
    ("用户", Author.CUSTOMER),
    ("商户", Author.MERCHANT),
    ("平台", Author.PLATFORM),
)
_MOST_BLOCKS = 200


def to_complaint(wire: ComplaintWire, *, phone: str, account_merchant: str, now: datetime) -> ComplaintDetails:
    """`phone` is already decrypted. A complaint whose time cannot be read counts from `now`, rather than be lost."""
    return ComplaintDetails(
        id=wire.complaint_id,
        state=STATES.get(wire.complaint_state, ComplaintState.UNKNOWN),
        raw_state=wire.complaint_state,
        created_at=read_time(wire.complaint_time) or now,
        text=wire.complaint_detail,
        problem=wire.problem_description,
        problem_type=wire.problem_type,
        merchant_id=wire.complainted_mchid or account_merchant,
        orders=tuple(
            ComplainedOrder(order.transaction_id, order.out_trade_no, order.amount or 0)
            for order in wire.complaint_order_info
        ),
        payer_phone=phone,
        payer_openid=wire.payer_openid,
        requested_refund_fen=wire.apply_refund_amount,
        fully_refunded=wire.complaint_full_refunded,
        user_waits=wire.incoming_user_response,
        times=max(wire.user_complaint_times or 1, 1),
        platform_assists=wire.in_platform_service,
        immediate_service=wire.need_immediate_service,
        user_tags=wire.user_tag_list,
        picture_urls=_pictures((), wire.complaint_media_list),
    )


def to_history(wires: Iterable[RecordWire], now: datetime) -> tuple[HistoryEntry, ...]:
    """Oldest first, each record once. A record without an id or a readable time is kept."""
    entries: dict[str, HistoryEntry] = {}
    for number, wire in enumerate(wires):
        entry = HistoryEntry(
            id=wire.log_id,
            at=read_time(wire.operate_time) or now,
            author=author_of(wire.operate_type, wire.operator),
            kind=wire.operate_type,
            text=_text(wire),
            picture_urls=_pictures(wire.image_list, wire.complaint_media_list),
        )
        entries.setdefault(wire.log_id or f"#{number}", entry)
    ordered = list(entries.values())
    if ordered and ordered[0].at > ordered[-1].at:
        ordered.reverse()  # the platform lists the newest first; records of one second must keep their order
    return tuple(sorted(ordered, key=lambda entry: entry.at))


def author_of(kind: str, operator: str) -> Author:
    """Who took the step; for kinds that nobody documented the platform's word for the operator decides."""
    if kind.endswith("_SYSTEM_MESSAGE"):
        return Author.SYSTEM
    for prefix, author in _PREFIXES:
        if kind.startswith(prefix):
            return author
    for part, author in _OPERATORS:
        if part in operator:
            return author
    return Author.SYSTEM


def _text(wire: RecordWire) -> str:
    clicked = wire.click_message.get("message_content")
    parts = [
        wire.operate_details,
        wire.user_appy_platform_service_reason,
        wire.user_appy_platform_service_reason_description,
        *_block_texts(wire.normal_message),
        clicked if isinstance(clicked, str) else "",
    ]
    return "\n".join(dict.fromkeys(part for part in parts if part))


def _block_texts(message: Mapping[str, Any]) -> list[str]:
    """Every text that a customer sees in a rich message, in order."""
    found: list[str] = []
    blocks = message.get("blocks")
    waiting: list[Any] = list(reversed(blocks[:_MOST_BLOCKS])) if isinstance(blocks, list) else []
    while waiting and len(found) < _MOST_BLOCKS:
        item = waiting.pop()
        if not isinstance(item, dict):
            continue
        for key in ("text", "faq_title"):
            if isinstance(item.get(key), str):
                found.append(item[key])
        for key in ("button_group", "faq_list", "button", "link", "text"):
            if isinstance(item.get(key), dict):
                waiting.append(item[key])
        for key in ("faqs", "buttons"):
            if isinstance(item.get(key), list):
                waiting.extend(reversed(item[key][:_MOST_BLOCKS]))
    return found


def _pictures(urls: Iterable[str], media: Iterable[MediaWire]) -> tuple[str, ...]:
    found = dict.fromkeys(urls)
    for item in media:
        found.update(dict.fromkeys(item.media_url))
    return tuple(found)
