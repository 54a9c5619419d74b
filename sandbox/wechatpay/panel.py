"""What customers of WeChat Pay do by the console's page: complain, and what they do later in a complaint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sandbox.panel import Action, Answer, Body, Id, NotPossible, Viewer, Words
from sandbox.wechatpay.customers import Customers


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


class Panel:
    def __init__(self, pay: Customers) -> None:
        self._pay = pay

    def actions(self) -> Mapping[str, Action[Any]]:
        return {"complain": Action(Complain, self._complain), "complaint": Action(Later, self._later)}

    def _complain(self, who: Viewer, given: Complain) -> Answer:
        pay = self._pay
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

    def _later(self, who: Viewer, given: Later) -> None:
        pay = self._pay
        if given.complaint_id not in pay.complaints:
            raise KeyError("there is no such complaint")
        if given.action == "write":
            pay.customer_writes(given.complaint_id, given.text)
        elif given.action == "again":
            pay.customer_continues(given.complaint_id, given.text)
        else:
            pay.customer_applies_platform(given.complaint_id, given.text)
