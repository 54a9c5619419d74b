"""Complaint tickets: the record, its negotiation, and every step the state machine allows.

docs/platforms/wechatpay.md ("Negotiation history", "Complaint states and moves").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sandbox.wechatpay.payments import Payment
from sandbox.wechatpay.refusals import Refusal, WrongMoment, bad_request, wrong_field
from sandbox.wechatpay.times import rfc3339


class State(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    PROCESSED = "PROCESSED"


class Decision(StrEnum):
    NONE = ""
    APPROVE = "APPROVE"
    REJECT = "REJECT"


@dataclass(frozen=True, slots=True)
class Record:
    """One step of the negotiation."""

    log_id: str
    operator: str
    at: datetime
    kind: str  # the platform's operate_type, misspellings included
    details: str
    media_ids: tuple[str, ...] = ()
    media_type: str = "USER_COMPLAINT_IMAGE"
    reason: str = ""  # why the user asks the platform for help
    normal_message: Mapping[str, object] | None = None

    def as_json(self, media_url: Callable[[str], str], media_shape: str) -> dict[str, object]:
        told: dict[str, object] = {
            "log_id": self.log_id,
            "operator": self.operator,
            "operate_time": rfc3339(self.at, milliseconds=True),
            "operate_type": self.kind,
            "operate_details": self.details,
        }
        if self.media_ids:
            urls = [media_url(media_id) for media_id in self.media_ids]
            media = {"media_type": self.media_type, "media_url": urls}
            told["image_list"] = urls[:4]
            told["complaint_media_list"] = media if media_shape == "object" else [media]
        if self.reason:
            told["user_appy_platform_service_reason"] = self.reason
            told["user_appy_platform_service_reason_description"] = self.details
        if self.normal_message is not None:
            told["normal_message"] = dict(self.normal_message)
        return told


@dataclass
class Complaint:
    """One ticket. Text and problem are the customer's own and are passed on as they are, however hostile."""

    id: str
    merchant_id: str
    created_at: datetime
    text: str
    problem_type: str
    problem: str
    phone: str
    openid: str
    payment: Payment | None
    apply_refund_fen: int | None
    media_ids: tuple[str, ...] = ()
    user_tags: tuple[str, ...] = ()
    immediate: bool = False
    state: State = State.PENDING
    times: int = 1
    user_waits: bool = True
    platform_assists: bool = False
    decision: Decision = Decision.NONE
    history: list[Record] = field(default_factory=list)
    served: dict[str, str] = field(default_factory=dict)  # idempotent_id → log_id of an immediate reply

    @property
    def fully_refunded(self) -> bool:
        return self.payment is not None and self.payment.refunded_fen >= self.payment.amount_fen

    def add(
        self,
        at: datetime,
        operator: str,
        kind: str,
        details: str = "",
        *,
        media_ids: Sequence[str] = (),
        media_type: str = "USER_COMPLAINT_IMAGE",
        reason: str = "",
        normal_message: Mapping[str, object] | None = None,
    ) -> Record:
        # Clients sort by the time they are told; two steps of one millisecond would lose their order.
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        if self.history and at <= self.history[-1].at:
            at = self.history[-1].at + timedelta(milliseconds=1)
        log_id = f"3{self.id[7:]}{len(self.history) + 1:06d}"
        record = Record(
            log_id, operator, at, kind, details, tuple(media_ids), media_type, reason, normal_message=normal_message
        )
        self.history.append(record)
        return record

    def replied(self, at: datetime, merchant: str, text: str, media_ids: Sequence[str]) -> None:
        """The merchant's reply (call 6)."""
        if self.state is State.PROCESSED:
            raise bad_request("提交商户回复失败，请稍后重试")
        self.add(at, merchant, "MERCHANT_RESPONSE", text, media_ids=media_ids, media_type="OPERATION_IMAGE")
        self.state, self.user_waits = State.PROCESSING, False

    def served_at_once(self, at: datetime, merchant: str, message: Mapping[str, object], once: str) -> str:
        """The reply to a ticket that needs immediate service (call 7); the same `once` counts once."""
        if once in self.served:
            return self.served[once]
        if self.state is State.PROCESSED or not self.immediate:
            raise bad_request("提交商户回复失败，请稍后重试")
        record = self.add(at, merchant, "MERCHANT_RESPONSE", normal_message=message)
        self.state, self.user_waits = State.PROCESSING, False
        self.served[once] = record.log_id
        return record.log_id

    def completed(self, at: datetime, merchant: str) -> None:
        """The merchant says that it is done (call 8)."""
        if self.state is State.PROCESSED:
            raise already_done()
        self.add(at, merchant, "MERCHANT_CONFIRM_COMPLETE", "商户已处理完成")
        self.state, self.user_waits = State.PROCESSED, False

    def decided(self, at: datetime, merchant: str, decision: Decision, details: str, media_ids: Sequence[str]) -> None:
        """The merchant's word on the refund asked for (call 9). Moves no money; a rejection finishes the ticket."""
        if self.problem_type != "REFUND":
            raise wrong_field("complaint_id", "非极速退款单据, 不能对本单据进行退款进度更新")
        if self.decision is not Decision.NONE or self.state is State.PROCESSED or self.fully_refunded:
            raise already_done()
        self.decision = decision
        if decision is Decision.APPROVE:
            self.add(at, merchant, "MERCHANT_APPROVE_REFUND", details)
            return
        self.add(at, merchant, "MERCHANT_REFUSE_RERUND", details, media_ids=media_ids, media_type="OPERATION_IMAGE")
        self.state, self.user_waits = State.PROCESSED, False

    def money_arrived(self, at: datetime, amount_fen: int) -> str | None:
        """A refund of the complained order reached the customer. Answers the action type to push, if any."""
        whole = self.fully_refunded
        kind = "COMPLAINT_FULL_REFUNDED_SYSTEM_MESSAGE" if whole else "COMPLAINT_PARTIAL_REFUNDED_SYSTEM_MESSAGE"
        self.add(at, "系统", kind, f"商户已退款{amount_fen / 100:.2f}元")
        if self.problem_type == "REFUND" and self.decision is Decision.APPROVE:
            if self.state is not State.PROCESSED:
                self.add(at, "系统", "COMPLAINT_REFUND_RECEIVED_SYSTEM_MESSAGE", "退款已到账")
            self.state, self.user_waits = State.PROCESSED, False
            return "REFUND_SUCCESS"
        return "SELLER_REFUND" if whole else None

    def written(self, at: datetime, text: str, media_ids: Sequence[str]) -> None:
        """The customer writes again."""
        if self.state is State.PROCESSED:
            raise WrongMoment("投诉已处理完成，用户只能继续投诉")
        self.add(at, "投诉人", "USER_RESPONSE", text, media_ids=media_ids)
        self.user_waits = True

    def continued(self, at: datetime, text: str) -> None:
        """The customer complains again on a finished ticket: the same ticket opens with a new count."""
        if self.state is not State.PROCESSED:
            raise WrongMoment("投诉尚未处理完成，用户不能继续投诉")
        self.add(at, "投诉人", "USER_CONTINUE_COMPLAINT", text)
        self.state, self.user_waits = State.PENDING, True
        self.times += 1
        self.decision = Decision.NONE

    def as_json(
        self, media_url: Callable[[str], str], seal: Callable[[str], str], *, detail: bool
    ) -> dict[str, object]:
        told: dict[str, object] = {
            "complaint_id": self.id,
            "complaint_time": rfc3339(self.created_at, milliseconds=True),
            "complaint_detail": self.text,
            "complaint_state": self.state.value,
            "complainted_mchid": self.merchant_id,
            "complaint_full_refunded": self.fully_refunded,
            "incoming_user_response": self.user_waits,
            "user_complaint_times": self.times,
            "problem_description": self.problem,
            "problem_type": self.problem_type,
            "in_platform_service": self.platform_assists,
            "need_immediate_service": self.immediate,
        }
        if self.phone:
            told["payer_phone"] = seal(self.phone)
        if detail and self.openid:
            told["payer_openid"] = self.openid
        if self.payment is not None:
            told["complaint_order_info"] = [self.payment.as_complained_order()]
        if self.media_ids:
            urls = [media_url(media_id) for media_id in self.media_ids]
            told["complaint_media_list"] = [{"media_type": "USER_COMPLAINT_IMAGE", "media_url": urls}]
        if self.problem_type == "REFUND" and self.apply_refund_fen is not None:
            told["apply_refund_amount"] = self.apply_refund_fen
        if self.user_tags:
            told["user_tag_list"] = list(self.user_tags)
        return told


def already_done() -> Refusal:
    return bad_request("当前单据状态不支持操作, 请检查是否重复调用")
