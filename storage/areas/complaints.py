"""Complaints, what was said in them, and our answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Table,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from storage.base import Base, blind, id_key, key_text, long_key, money, plain_json, sealed


class Progress(StrEnum):
    """Where a complaint stands with us."""

    WAITING = "waiting"  # the customer has had no answer yet
    ANSWERED = "answered"
    FINISHING = "finishing"  # we asked the channel to finish it
    FINISHED = "finished"


COUNTED = 1000  # nobody turns more pages than that, and counting a million takes seconds
OPEN = (Progress.WAITING, Progress.ANSWERED, Progress.FINISHING)


class Complaint(Base):
    __tablename__ = "complaint"
    __table_args__ = (
        UniqueConstraint("account_key", "external_id"),
        Index("ix_complaint_progress", "progress", "first_reply_due"),
        Index("ix_complaint_chat_progress", "chat_id", "progress", "complained_at"),
        Index("ix_complaint_complained_at", "complained_at"),
        Index("ix_complaint_chat", "chat_id", "id"),
        # What a day's digest counts.
        Index("ix_complaint_chat_complained", "chat_id", "complained_at"),
        Index("ix_complaint_chat_replied", "chat_id", "first_replied_at"),
        Index("ix_complaint_chat_finished", "chat_id", "finished_at"),
        Index("ix_complaint_phone_index", "phone_index", "id"),
    )
    id: Mapped[id_key]
    account_key: Mapped[key_text]
    external_id: Mapped[key_text]
    program_key: Mapped[key_text]
    chat_id: Mapped[key_text]
    progress: Mapped[key_text]
    remote_state: Mapped[key_text]  # the channel's own word
    words: Mapped[sealed]
    problem: Mapped[sealed]
    problem_type: Mapped[key_text]
    merchant_id: Mapped[key_text]
    transaction_id: Mapped[key_text]
    out_trade_no: Mapped[key_text]
    amount_fen: Mapped[money]
    requested_refund_fen: Mapped[money | None]
    phone: Mapped[sealed]
    phone_index: Mapped[blind]
    openid: Mapped[sealed]
    openid_index: Mapped[blind]
    complained_at: Mapped[datetime]
    times: Mapped[int]
    user_waits: Mapped[bool]
    platform_assists: Mapped[bool]
    immediate: Mapped[bool]
    fully_refunded: Mapped[bool]
    picture_urls: Mapped[plain_json]
    picture_keys: Mapped[plain_json]  # Feishu image keys of those fetched
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    claimed_at: Mapped[datetime | None]
    first_reply_due: Mapped[datetime]
    finish_due: Mapped[datetime]
    first_replied_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    synced_at: Mapped[datetime]
    row_version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": row_version}

    @property
    def is_open(self) -> bool:
        return self.progress in OPEN

    @property
    def number(self) -> str:
        """What people call it: C1, C2 ..."""
        return f"C{self.id}"


class ComplaintEntry(Base):
    """One step of the negotiation, as the channel tells it."""

    __tablename__ = "complaint_entry"
    __table_args__ = (UniqueConstraint("complaint_id", "external_id"),)
    id: Mapped[id_key]
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    external_id: Mapped[long_key]
    at: Mapped[datetime]
    author: Mapped[key_text]
    kind: Mapped[long_key]
    words: Mapped[sealed]


class ReplyState(StrEnum):
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # it left and no answer came; the history tells


class ComplaintReply(Base):
    """An answer of ours to a customer."""

    __tablename__ = "complaint_reply"
    id: Mapped[id_key]
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    words: Mapped[sealed]
    state: Mapped[key_text]
    written_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]


class Entry(NamedTuple):
    """One step of the negotiation, not yet stored."""

    external_id: str
    at: datetime
    author: str
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class ComplaintFilter:
    """What `/投诉` lists. `None` and empty mean: any."""

    open_only: bool = True
    chat_id: str | None = None
    programs: tuple[str, ...] | None = None
    claimed_by: int | None = None
    unclaimed: bool = False
    overdue_at: datetime | None = None  # a deadline lies before that moment
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Complaints of a span of time in one chat."""

    arrived: int
    finished: int
    answered: int
    answered_late: int
    finished_late: int


# Made once, for what is done with each complaint of each list: building them costs a good part of running them.
_entries, _complaint = cast(Table, ComplaintEntry.__table__), cast(Table, Complaint.__table__)
_BY_EXTERNAL = select(Complaint).where(
    Complaint.account_key == bindparam("account"), Complaint.external_id == bindparam("number")
)
_BY_EXTERNAL_LOCKED = _BY_EXTERNAL.with_for_update()
_ENTRY_IDS = select(_entries.c.external_id).where(_entries.c.complaint_id == bindparam("of"))
_ADD_ENTRIES = insert(_entries)
_SYNCED = update(_complaint).where(_complaint.c.id == bindparam("row")).values(synced_at=bindparam("at"))


class Complaints:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, id: int, *, lock: bool = False) -> Complaint | None:
        return self._session.get(Complaint, id, with_for_update=lock or None, populate_existing=lock)

    def by_external(self, account_key: str, external_id: str, *, lock: bool = False) -> Complaint | None:
        query = _BY_EXTERNAL_LOCKED if lock else _BY_EXTERNAL
        return self._session.scalar(query, {"account": account_key, "number": external_id})

    def add(self, complaint: Complaint) -> Complaint:
        self._session.add(complaint)
        self._session.flush()
        return complaint

    def told(self, complaint: Complaint, **values: Any) -> None:
        """Put in what differs: a row that is only given what it holds costs a comparison of all of it at the flush."""
        for name, value in values.items():
            if getattr(complaint, name) != value:
                setattr(complaint, name, value)

    def synced(self, complaint: Complaint, at: datetime) -> None:
        """Note when it was read. That stands on no card, so it leaves the version alone that their buttons carry."""
        self._session.execute(_SYNCED, {"row": complaint.id, "at": at})
        set_committed_value(complaint, "synced_at", at)

    def by_externals(self, account_key: str, external_ids: Sequence[str]) -> dict[str, Complaint]:
        query = select(Complaint).where(Complaint.account_key == account_key, Complaint.external_id.in_(external_ids))
        return {row.external_id: row for row in self._session.scalars(query)}

    def open_external_ids(self, account_key: str, *, synced_before: datetime | None = None) -> list[str]:
        query = select(Complaint.external_id).where(Complaint.account_key == account_key, Complaint.progress.in_(OPEN))
        if synced_before is not None:
            query = query.where(Complaint.synced_at < synced_before)
        return list(self._session.scalars(query))

    def listed(self, filter: ComplaintFilter, *, offset: int, limit: int) -> tuple[list[Complaint], int]:
        """A page, the most urgent first, and how many there are; more than `COUNTED` are not counted on."""
        query = select(Complaint)
        if filter.open_only:
            query = query.where(Complaint.progress.in_(OPEN))
        if filter.chat_id:
            query = query.where(Complaint.chat_id == filter.chat_id)
        if filter.programs is not None:
            query = query.where(Complaint.program_key.in_(filter.programs))
        if filter.claimed_by is not None:
            query = query.where(Complaint.claimed_by == filter.claimed_by)
        if filter.unclaimed:
            query = query.where(Complaint.claimed_by.is_(None))
        if filter.phone is not None:
            query = query.where(Complaint.phone_index == filter.phone)
        if filter.overdue_at is not None:
            query = query.where(
                ((Complaint.first_replied_at.is_(None)) & (Complaint.first_reply_due <= filter.overdue_at))
                | (Complaint.finish_due <= filter.overdue_at)
            )
        some = query.with_only_columns(Complaint.id).limit(COUNTED + 1).subquery()
        total = self._session.scalar(select(func.count()).select_from(some)) or 0
        order = (Complaint.finish_due, Complaint.id) if filter.open_only else (Complaint.id.desc(),)
        return list(self._session.scalars(query.order_by(*order).offset(offset).limit(limit))), total

    def claimed_open(self, person_id: int) -> list[Complaint]:
        query = select(Complaint).where(Complaint.claimed_by == person_id, Complaint.progress.in_(OPEN))
        return list(self._session.scalars(query))

    def open_in(self, chat_id: str) -> list[Complaint]:
        query = select(Complaint).where(Complaint.chat_id == chat_id, Complaint.progress.in_(OPEN))
        return list(self._session.scalars(query.order_by(Complaint.id)))

    def entry_ids(self, complaint_id: int) -> set[str]:
        """The channel's ids of those entries of its history that we have."""
        return set(self._session.scalars(_ENTRY_IDS, {"of": complaint_id}))

    def add_entries(self, complaint_id: int, entries: Sequence[Entry]) -> None:
        rows = [{"complaint_id": complaint_id, **entry._asdict()} for entry in entries]
        if rows:
            self._session.execute(_ADD_ENTRIES, rows)

    def entries(self, complaint_id: int, limit: int = 20) -> list[ComplaintEntry]:
        """The newest `limit`, oldest first."""
        query = (
            select(ComplaintEntry)
            .where(ComplaintEntry.complaint_id == complaint_id)
            .order_by(ComplaintEntry.at.desc(), ComplaintEntry.id.desc())
            .limit(limit)
        )
        return list(self._session.scalars(query))[::-1]

    def add_reply(self, reply: ComplaintReply) -> ComplaintReply:
        self._session.add(reply)
        self._session.flush()
        return reply

    def reply(self, id: int) -> ComplaintReply | None:
        return self._session.get(ComplaintReply, id, with_for_update=True)

    def replies(self, complaint_id: int) -> list[ComplaintReply]:
        query = select(ComplaintReply).where(ComplaintReply.complaint_id == complaint_id).order_by(ComplaintReply.id)
        return list(self._session.scalars(query))

    def counts(self, chat_id: str, since: datetime, until: datetime) -> DayCounts:
        def count(*conditions: ColumnElement[bool]) -> int:
            query = select(func.count()).where(Complaint.chat_id == chat_id, *conditions)
            return self._session.scalar(query) or 0

        replied = (Complaint.first_replied_at >= since, Complaint.first_replied_at < until)
        finished = (Complaint.finished_at >= since, Complaint.finished_at < until)
        return DayCounts(
            arrived=count(Complaint.complained_at >= since, Complaint.complained_at < until),
            finished=count(*finished),
            answered=count(*replied),
            answered_late=count(*replied, Complaint.first_replied_at > Complaint.first_reply_due),
            finished_late=count(*finished, Complaint.finished_at > Complaint.finish_due),
        )

    def open_count(self, chat_id: str) -> int:
        query = select(func.count()).where(Complaint.chat_id == chat_id, Complaint.progress.in_(OPEN))
        return self._session.scalar(query) or 0
