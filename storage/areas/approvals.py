"""Requests that need approval, and the votes on them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, id_key, key_text, money, sealed, sealed_json


class RequestState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ApprovalRequest(Base):
    """One thing that somebody wants done. The policy in force when it was asked is kept with it."""

    __tablename__ = "approval_request"
    id: Mapped[id_key]
    action: Mapped[key_text]
    scope: Mapped[key_text]
    subject: Mapped[key_text]  # kind:id of what is asked for, such as refund:12
    story: Mapped[key_text]  # the item whose audit tells of it, such as complaint:7
    chat_id: Mapped[key_text]
    amount_fen: Mapped[money | None]
    requested_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    requested_at: Mapped[datetime]
    state: Mapped[key_text]
    quorum: Mapped[int]
    policy: Mapped[sealed_json]
    due_at: Mapped[datetime]
    escalated_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[sealed | None]
    row_version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": row_version}

    @property
    def number(self) -> str:
        """What people call it: A1, A2 ..."""
        return f"A{self.id}"


class Decision(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class ApprovalVote(Base):
    __tablename__ = "approval_vote"
    __table_args__ = (UniqueConstraint("request_id", "person_id"),)
    id: Mapped[id_key]
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    decision: Mapped[key_text]
    reason: Mapped[sealed | None]
    at: Mapped[datetime]


class Approvals:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, id: int, *, lock: bool = False) -> ApprovalRequest | None:
        return self._session.get(ApprovalRequest, id, with_for_update=lock or None, populate_existing=lock)

    def add(self, request: ApprovalRequest) -> ApprovalRequest:
        self._session.add(request)
        self._session.flush()
        return request

    def vote(self, vote: ApprovalVote) -> None:
        self._session.add(vote)
        self._session.flush()

    def votes(self, request_id: int) -> list[ApprovalVote]:
        query = select(ApprovalVote).where(ApprovalVote.request_id == request_id).order_by(ApprovalVote.id)
        return list(self._session.scalars(query))

    def pending(self) -> list[ApprovalRequest]:
        query = select(ApprovalRequest).where(ApprovalRequest.state == RequestState.PENDING)
        return list(self._session.scalars(query.order_by(ApprovalRequest.due_at)))
