"""Rows for tests, whole and valid, with only what a test cares about to be said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any

from sqlalchemy.orm import Session

from storage.areas.complaints import Complaint, Complaints, Progress
from storage.areas.configuration import Account, Chat, Policy, Program
from storage.areas.people import People, Person
from storage.areas.refunds import Refund, RefundProgress, Refunds

NOW = datetime(2026, 3, 2, 4, 30, 15, 123456, tzinfo=UTC)
SECRET = token_urlsafe(32)  # another one in each process
PHONE = "13812345678"
OPENID = "oUpF8uMuAJO_the_customer"
NAME = "欧阳靖宇"
OPEN_ID = "ou_operator_ouyang"


def person(session: Session, open_id: str = OPEN_ID, name: str = NAME, *roles: tuple[str, str]) -> Person:
    people = People(session)
    row = people.ensure(open_id, name=name, at=NOW)
    for role, scope in roles:
        people.grant(row, role, scope, at=NOW, source="chat")
    return row


def complaint(session: Session, external_id: str = "200000020", **values: Any) -> Complaint:
    complained_at = values.pop("complained_at", NOW)
    given: dict[str, Any] = {
        "account_key": "pay-main", "program_key": "mall", "chat_id": "oc_pay", "progress": Progress.WAITING,
        "remote_state": "PENDING", "words": "杯子漏水", "problem": "退款", "problem_type": "REFUND",
        "merchant_id": "1900000109", "transaction_id": "4200001", "out_trade_no": "T-1", "amount_fen": 6800,
        "phone": PHONE, "openid": OPENID, "complained_at": complained_at, "times": 1, "user_waits": True,
        "platform_assists": False, "immediate": False, "fully_refunded": False, "picture_urls": [], "picture_keys": [],
        "first_reply_due": complained_at + timedelta(hours=24), "finish_due": complained_at + timedelta(hours=72),
        "synced_at": complained_at, **values,
    }  # fmt: skip
    return Complaints(session).add(
        Complaint(
            external_id=external_id, phone_index=given["phone"], openid_index=given["openid"], **given
        )
    )  # fmt: skip


def refund(session: Session, of: Complaint, by: Person, number: str, amount_fen: int, **values: Any) -> Refund:
    given: dict[str, Any] = {
        "account_key": of.account_key, "merchant_id": of.merchant_id, "transaction_id": of.transaction_id,
        "total_fen": of.amount_fen, "reason": "漏水", "progress": RefundProgress.ASKED, "requested_at": NOW, **values,
    }  # fmt: skip
    return Refunds(session).add(
        Refund(complaint_id=of.id, requested_by=by.id, out_refund_no=number, amount_fen=amount_fen, **given)
    )


def company(session: Session) -> None:
    """One payment account, one program, its chat, and a policy."""
    session.add_all(
        [
            Account(key="pay-main", channel="wechatpay", mode="direct", settings={"base_url": "x"}, changed_at=NOW),
            Program(key="mall", account_key="pay-main", name="商城", chat_id="oc_pay", owner="ou_owner"),
            Chat(chat_id="oc_pay", name="支付投诉群", zone="Asia/Shanghai", language="zh_cn"),
            Policy(
                action="refund.create", scope="*", quorum=1, approvers="role:approver", deadline_seconds=14400,
                escalate="role:admin", above_fen=100000, quorum_above=2,
            ),
        ]
    )  # fmt: skip
    session.flush()
