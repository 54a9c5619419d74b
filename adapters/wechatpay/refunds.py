"""Refunds of one merchant: the port `RefundsPort`. docs/platforms/wechatpay.md ("Refunds")."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters.errors import BadRequest, OutcomeUnknown, Unavailable
from adapters.values import Objection, RefundDetails, RefundState
from adapters.wechatpay import reply_checks
from adapters.wechatpay.client import Client, segment
from adapters.wechatpay.credentials import CHANNEL
from adapters.wechatpay.models import RefundWire, read_time

PATH = "/v3/refund/domestic/refunds"

STATES: Mapping[str, RefundState] = {
    "PROCESSING": RefundState.PROCESSING,
    "SUCCESS": RefundState.SUCCESS,
    "CLOSED": RefundState.CLOSED,
    "ABNORMAL": RefundState.ABNORMAL,
}

_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")


class WeChatPayRefunds:
    """Nothing here repeats a refund: whoever is told OutcomeUnknown asks `query` first."""

    def __init__(self, client: Client, *, provider: bool, notify_url: str = "") -> None:
        self._client, self._provider, self._notify_url = client, provider, notify_url

    def check_reason(self, text: str) -> Objection | None:
        return reply_checks.check_refund_reason(text)

    def create(
        self,
        *,
        out_refund_no: str,
        transaction_id: str,
        amount_fen: int,
        total_fen: int,
        reason: str,
        merchant_id: str = "",
    ) -> RefundDetails:
        """By `transaction_id`: with the merchant's own order number "no such order" comes at random."""
        _check_number(out_refund_no)
        if not transaction_id:
            raise BadRequest(CHANNEL, "a refund needs the payment's transaction_id")
        if not 0 < amount_fen <= total_fen:
            raise BadRequest(CHANNEL, f"cannot refund {amount_fen} of {total_fen} fen")
        objection = self.check_reason(reason)
        if objection is not None:
            raise BadRequest(CHANNEL, f"refund not sent: {objection.code}", code=objection.code)
        body: dict[str, object] = {
            "transaction_id": transaction_id,
            "out_refund_no": out_refund_no,
            "amount": {"refund": amount_fen, "total": total_fen, "currency": "CNY"},
        }
        if reason:
            body["reason"] = reason
        if self._notify_url:
            body["notify_url"] = self._notify_url
        if self._provider:
            body["sub_mchid"] = self._sub_merchant(merchant_id)
        answer = self._client.write("POST", PATH, body, limited_is_unknown=True)
        refund = to_refund(RefundWire.model_validate(answer))
        if refund.out_refund_no != out_refund_no:
            raise OutcomeUnknown(CHANNEL, "the answer is about another refund, or about none", status=200)
        return refund

    def query(self, out_refund_no: str, merchant_id: str = "") -> RefundDetails:
        _check_number(out_refund_no)
        params = {"sub_mchid": self._sub_merchant(merchant_id)} if self._provider else None
        refund = to_refund(RefundWire.model_validate(self._client.get(f"{PATH}/{segment(out_refund_no)}", params)))
        if refund.out_refund_no != out_refund_no:
            raise Unavailable(CHANNEL, "the answer is about another refund, or about none", status=200)
        return refund

    def _sub_merchant(self, merchant_id: str) -> str:
        if not merchant_id:
            raise BadRequest(CHANNEL, "a partner has to name the sub-merchant of a refund")
        return merchant_id


def to_refund(wire: RefundWire) -> RefundDetails:
    """From the API or from a notification."""
    raw_state = wire.status or wire.refund_status
    return RefundDetails(
        out_refund_no=wire.out_refund_no,
        refund_id=wire.refund_id,
        state=STATES.get(raw_state, RefundState.UNKNOWN),
        raw_state=raw_state,
        amount_fen=wire.amount.refund or 0,
        total_fen=wire.amount.total or 0,
        transaction_id=wire.transaction_id,
        succeeded_at=read_time(wire.success_time),
        received_account=wire.user_received_account,
    )


def _check_number(out_refund_no: str) -> None:
    if not _NUMBER.fullmatch(out_refund_no):
        raise BadRequest(CHANNEL, "out_refund_no has 1 to 64 digits, letters or _-|*@")
