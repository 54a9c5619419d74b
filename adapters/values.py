"""What channels answer, in our own words: frozen values, fen, aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ComplaintState(StrEnum):
    """Where the platform sees a complaint. A value nobody documented becomes `UNKNOWN`; `raw_state` keeps it."""

    PENDING = "pending"  # waits for our first answer
    PROCESSING = "processing"  # answered, not finished
    PROCESSED = "processed"  # finished
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a platform would refuse a text, told before it is sent: a code that chat texts translate, and its numbers.

    Codes: `text.empty` · `text.too_long` (limit, length) · `text.characters` (found: the characters it cannot carry).
    """

    code: str
    params: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComplainedOrder:
    """A payment that a complaint is about."""

    transaction_id: str
    out_trade_no: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ComplaintDetails:
    """One complaint as the platform tells it now."""

    id: str
    state: ComplaintState
    raw_state: str
    created_at: datetime
    text: str  # the customer's own words: hostile
    problem: str  # the title the customer chose: hostile
    problem_type: str  # REFUND SERVICE_NOT_WORK OTHERS, or a value nobody documented
    merchant_id: str
    orders: tuple[ComplainedOrder, ...] = ()
    payer_phone: str = ""  # decrypted; "" when absent or unreadable
    payer_openid: str = ""
    requested_refund_fen: int | None = None
    fully_refunded: bool = False
    user_waits: bool = False  # the customer wrote and nobody answered
    times: int = 1  # grows with every "complain again"
    platform_assists: bool = False
    immediate_service: bool = False
    user_tags: tuple[str, ...] = ()
    picture_urls: tuple[str, ...] = ()


class Author(StrEnum):
    """Who took a step in a negotiation."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"
    PLATFORM = "platform"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step in a complaint's negotiation, oldest first."""

    id: str
    at: datetime
    author: Author
    kind: str  # the platform's own word; unknown ones are shown raw
    text: str  # hostile
    picture_urls: tuple[str, ...] = ()


class RefundState(StrEnum):
    """Where a refund stands. A value nobody documented becomes `UNKNOWN`; `raw_state` keeps it."""

    PROCESSING = "processing"
    SUCCESS = "success"
    CLOSED = "closed"  # will not happen under this number; a new number is needed
    ABNORMAL = "abnormal"  # the customer's card is dead; the money waits; needs a person
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RefundDetails:
    """Money on its way back to a customer. Amounts are fen; 0 for one that the platform did not tell."""

    out_refund_no: str
    refund_id: str
    state: RefundState
    raw_state: str
    amount_fen: int
    total_fen: int
    transaction_id: str
    succeeded_at: datetime | None = None
    received_account: str = ""


@dataclass(frozen=True, slots=True)
class ComplaintNotice:
    """A push said that something happened to a complaint. It holds no more than this: read the complaint afterwards."""

    complaint_id: str
    action: str  # the platform's own word; unknown ones mean "read it again"


@dataclass(frozen=True, slots=True)
class Notification:
    """A channel push that proved who sent it.

    `key` is the platform's own id of it: a repeat has the same. `event` is its own type. `resource` is the decrypted
    content as plain JSON data, fit to be stored; `InboundPort.read` says later what it means.
    """

    key: str
    event: str
    sent_at: datetime | None
    summary: str
    resource: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the platform wants to hear when a push was stored, or when it was not."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `mpops doctor`: what was looked at, whether it is well, and what to do if not."""

    check: str
    ok: bool
    detail: str
    remedy: str = ""  # read only when `ok` is false


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture whose bytes were looked at: `content_type` is what they are, not what somebody said."""

    content: bytes
    content_type: str
