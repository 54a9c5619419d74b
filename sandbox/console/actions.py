"""What a press on the page does to the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sandbox.console.views import PLATFORMS
from sandbox.faults import CallFault, Fault, PushFault

if TYPE_CHECKING:
    from sandbox.server import Sandbox

ZONE = ZoneInfo("Asia/Shanghai")
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(max_length=200_000)]


class NotPossible(Exception):
    """The sandbox's world does not allow it; the text says why."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who presses, and which chat is open."""

    me: str
    chat: str


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    chat: Annotated[str, StringConstraints(max_length=200)] = ""


class Send(Body):
    text: Words
    mention: list[Id] = []
    reply_to: str = ""


class Message(Body):
    message_id: Id


class Edit(Message):
    text: Words


class React(Message):
    emoji: Id


class Click(Message):
    path: Id
    tag: Id
    name: str = ""
    form_value: dict[str, Any] | None = None
    option: str | None = None
    input_value: str | None = None
    checked: bool | None = None


class Leave(Body):
    open_id: Id


class Complain(Body):
    """A sample, or one's own words; a complaint without an amount is about no order."""

    merchant_id: str = ""
    sample: str = ""
    text: Words = ""
    amount_fen: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    problem_type: Literal["REFUND", "SERVICE_NOT_WORK", "OTHERS"] = "OTHERS"
    apply_refund_fen: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None

    @model_validator(mode="after")
    def _something(self) -> Complain:
        if not self.sample and not self.text:
            raise ValueError("write what the customer says / 请写下投诉内容")
        return self


class Later(Body):
    complaint_id: Id
    action: Literal["write", "again", "platform"]
    text: Words


class Advance(Body):
    seconds: Annotated[float, Field(ge=-31_536_000, le=31_536_000)] | None = None
    to: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    tomorrow: bool = False


class NewFault(Body):
    platform: Id
    kind: CallFault | PushFault
    path: Annotated[str, StringConstraints(max_length=200)] = ""
    times: Annotated[int, Field(ge=-1, le=1000)] = 1
    seconds: Annotated[float, Field(ge=0, le=86_400)] = 0.0


class ClearFaults(Body):
    platform: str = ""


Given = TypeVar("Given", bound=Body)
Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Action(Generic[Given]):
    body: type[Given]
    work: Callable[[Sandbox, Viewer, Given], Answer | None]

    def run(self, sandbox: Sandbox, who: Viewer, given: Mapping[str, Any]) -> Answer:
        return self.work(sandbox, who, self.body.model_validate(given)) or {}


def send(sandbox: Sandbox, who: Viewer, given: Send) -> Answer:
    if not given.text.strip():
        raise NotPossible("an empty message is not sent")
    bots = {app.bot_open_id for app in sandbox.feishu.store.apps.values()}
    message = sandbox.feishu.user_sends(
        who.me, given.chat, given.text, mention_bot=bool(bots & set(given.mention)), reply_to=given.reply_to or None
    )
    return {"message_id": message.message_id}


def _own(sandbox: Sandbox, who: Viewer, message_id: str) -> None:
    if sandbox.feishu.store.message(message_id).sender != who.me:
        raise NotPossible("only one's own message")


def edit(sandbox: Sandbox, who: Viewer, given: Edit) -> None:
    _own(sandbox, who, given.message_id)
    sandbox.feishu.user_edits(given.message_id, given.text)


def recall(sandbox: Sandbox, who: Viewer, given: Message) -> None:
    _own(sandbox, who, given.message_id)
    sandbox.feishu.user_recalls(given.message_id)


def react(sandbox: Sandbox, who: Viewer, given: React) -> None:
    sandbox.feishu.user_reacts(who.me, given.message_id, given.emoji)


def read(sandbox: Sandbox, who: Viewer, given: Body) -> None:
    sandbox.feishu.user_reads(who.me, given.chat)


def open_private(sandbox: Sandbox, who: Viewer, given: Body) -> Answer:
    return {"chat_id": sandbox.feishu.user_opens_p2p(who.me).chat_id}


def click(sandbox: Sandbox, who: Viewer, given: Click) -> Answer:
    """`code` is the client's own error code (docs: feishu.md §6), 0 when the click was answered well."""
    result = sandbox.feishu.click(
        who.me,
        given.message_id,
        element=given.path,
        form_value=given.form_value,
        option=given.option,
        input_value=given.input_value,
        checked=given.checked,
    )
    return {
        "code": result.code,
        "message": result.message,
        "toast": dict(result.toast) if result.toast else None,
        "updated": result.updated,
    }


def leave(sandbox: Sandbox, who: Viewer, given: Leave) -> None:
    sandbox.feishu.user_leaves(given.open_id)


def complain(sandbox: Sandbox, who: Viewer, given: Complain) -> Answer:
    pay = sandbox.wechatpay
    merchant_id = given.merchant_id or next(iter(pay.merchants), "")
    if merchant_id not in pay.merchants:
        raise NotPossible("there is no such merchant")
    if given.sample:
        return {"complaint_id": pay.complain_with_sample(merchant_id, given.sample).id}
    payment = pay.add_payment(merchant_id, given.amount_fen, "商城订单") if given.amount_fen is not None else None
    complaint = pay.customer_complains(
        merchant_id,
        payment,
        given.text,
        problem_type=given.problem_type,
        problem={"REFUND": "申请退款", "SERVICE_NOT_WORK": "服务未生效"}.get(given.problem_type, "其他问题"),
        apply_refund_fen=given.apply_refund_fen,
    )
    return {"complaint_id": complaint.id}


def later(sandbox: Sandbox, who: Viewer, given: Later) -> None:
    pay = sandbox.wechatpay
    if given.complaint_id not in pay.complaints:
        raise KeyError("there is no such complaint")
    if given.action == "write":
        pay.customer_writes(given.complaint_id, given.text)
    elif given.action == "again":
        pay.customer_continues(given.complaint_id, given.text)
    else:
        pay.customer_applies_platform(given.complaint_id, given.text)


def advance(sandbox: Sandbox, who: Viewer, given: Advance) -> Answer:
    """By seconds, or to the next time that a clock on the wall shows `to`; `tomorrow`: not today any more."""
    clock = sandbox.world.clock
    if given.to is not None:
        hour, minute = (int(part) for part in given.to.split(":"))
        now = clock.now().astimezone(ZONE)
        target = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if given.tomorrow or target <= now:
            target += timedelta(days=1)
        by = target - now
    elif given.seconds is not None:
        by = timedelta(seconds=given.seconds)
    else:
        raise NotPossible("seconds or to")
    return {"now": int(clock.advance(by).timestamp() * 1000)}


def fault(sandbox: Sandbox, who: Viewer, given: NewFault) -> None:
    if given.platform not in PLATFORMS or getattr(sandbox, given.platform, None) is None:
        raise NotPossible(f"no platform {given.platform}")
    if given.times == 0:
        raise NotPossible("times: -1 for always, or how often")
    new = Fault(given.platform, given.kind, path=given.path, times=given.times, seconds=given.seconds)
    sandbox.world.faults.add(new)


def clear_faults(sandbox: Sandbox, who: Viewer, given: ClearFaults) -> None:
    sandbox.world.faults.clear(given.platform)


ACTIONS: Mapping[str, Action[Any]] = {
    "send": Action(Send, send),
    "edit": Action(Edit, edit),
    "recall": Action(Message, recall),
    "react": Action(React, react),
    "read": Action(Body, read),
    "open": Action(Body, open_private),
    "click": Action(Click, click),
    "leave": Action(Leave, leave),
    "complain": Action(Complain, complain),
    "complaint": Action(Later, later),
    "advance": Action(Advance, advance),
    "fault": Action(NewFault, fault),
    "fault/clear": Action(ClearFaults, clear_faults),
}
