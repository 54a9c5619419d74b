"""Refunds that were asked for, and what became of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.areas.complaints import Complaint
from storage.base import Base, id_key, key_text, money, sealed


class RefundProgress(StrEnum):
    ASKED = "asked"  # waits for approval
    DROPPED = "dropped"  # rejected, withdrawn or expired: no money moved
    APPROVED = "approved"  # will be sent
    SENDING = "sending"  # the call may have been made
    PROCESSING = "processing"  # the channel took it
    PAID = "paid"
    FAILED = "failed"  # the channel refuses it: no money moved
    ABNORMAL = "abnormal"  # the customer's account cannot take it; a person must act in the console


UNSETTLED = (
    RefundProgress.ASKED, RefundProgress.APPROVED, RefundProgress.SENDING, RefundProgress.PROCESSING,
)  # fmt: skip
COUNTS_AS_SPENT = (*UNSETTLED, RefundProgress.PAID, RefundProgress.ABNORMAL)


class Refund(Base):
    __tablename__ = "refund"
    id: Mapped[id_key]
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), index=True)
    account_key: Mapped[key_text]
    merchant_id: Mapped[key_text]
    transaction_id: Mapped[key_text] = mapped_column(index=True)
    amount_fen: Mapped[money]
    total_fen: Mapped[money]
    reason: Mapped[sealed]
    out_refund_no: Mapped[key_text] = mapped_column(unique=True)  # the idempotency key at the channel
    progress: Mapped[key_text]
    requested_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    requested_at: Mapped[datetime]
    approval_id: Mapped[int | None]
    channel_refund_id: Mapped[key_text | None]
    error: Mapped[str | None]
    can_retry: Mapped[bool] = mapped_column(default=False)  # refused for a reason that may pass, such as the balance
    attempts: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None]
    polls: Mapped[int] = mapped_column(default=0)
    row_version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": row_version}

    @property
    def number(self) -> str:
        """What people call it: R1, R2 ..."""
        return f"R{self.id}"


class Refunds:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, id: int, *, lock: bool = False) -> Refund | None:
        return self._session.get(Refund, id, with_for_update=lock or None, populate_existing=lock)

    def by_number(self, out_refund_no: str) -> Refund | None:
        return self._session.scalar(select(Refund).where(Refund.out_refund_no == out_refund_no))

    def add(self, refund: Refund) -> Refund:
        self._session.add(refund)
        self._session.flush()
        return refund

    def of_complaint(self, complaint_id: int) -> list[Refund]:
        query = select(Refund).where(Refund.complaint_id == complaint_id).order_by(Refund.id)
        return list(self._session.scalars(query))

    def asked_of_payment(self, account_key: str, transaction_id: str) -> list[Refund]:
        """Refunds of a payment that wait for approval."""
        query = select(Refund).where(
            Refund.account_key == account_key,
            Refund.transaction_id == transaction_id,
            Refund.progress == RefundProgress.ASKED,
        )
        return list(self._session.scalars(query.order_by(Refund.id)))

    def committed_fen(self, account_key: str, transaction_id: str) -> int:
        """How much of a payment is refunded or on its way, in fen."""
        query = select(func.coalesce(func.sum(Refund.amount_fen), 0)).where(
            Refund.account_key == account_key,
            Refund.transaction_id == transaction_id,
            Refund.progress.in_(COUNTS_AS_SPENT),
        )
        return int(self._session.scalar(query) or 0)

    def paid_in_chat(self, chat_id: str, since: datetime, until: datetime) -> tuple[int, int]:
        """How many refunds of that chat's complaints were paid in that span, and their sum in fen."""
        query = (
            select(func.count(), func.coalesce(func.sum(Refund.amount_fen), 0))
            .join(Complaint, Complaint.id == Refund.complaint_id)
            .where(
                Complaint.chat_id == chat_id,
                Refund.progress == RefundProgress.PAID,
                Refund.settled_at >= since,
                Refund.settled_at < until,
            )
        )
        row = self._session.execute(query).one()
        return int(row[0]), int(row[1])

    def in_states(self, *states: RefundProgress) -> list[Refund]:
        return list(self._session.scalars(select(Refund).where(Refund.progress.in_(states)).order_by(Refund.id)))
