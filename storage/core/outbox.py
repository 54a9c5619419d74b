"""What goes out to Feishu: cards that stand in chats, and messages waiting to be sent, in order per chat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ForeignKey, Index, String, Table, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, id_key, key_text, sealed, sealed_json

LONGEST_WAIT = timedelta(minutes=65)  # no message is ever put off for longer at once


class PostedCard(Base):
    """One card in one chat. It is drawn from the item it shows whenever it is sent, so it can only tell the truth."""

    __tablename__ = "card"
    __table_args__ = (Index("ix_card_kind_subject", "kind", "subject"),)
    id: Mapped[id_key]
    kind: Mapped[key_text]  # which drawing function makes it
    subject: Mapped[key_text]
    params: Mapped[sealed_json]  # how it is looked at just now: page, filter, opened form, for whom
    receiver: Mapped[sealed]  # chat:<chat_id> or person:<open_id>
    partition: Mapped[key_text] = mapped_column("lane")  # keyed hash of the receiver; named as it first was
    message_id: Mapped[str | None]
    posted_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    drawn: Mapped[str | None]  # hash of what stands there, to skip a refresh that changes nothing
    retired: Mapped[bool] = mapped_column(default=False)  # nobody can see it any more
    refresh_at: Mapped[datetime | None] = mapped_column("redraw_at", index=True)


class OutboxState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    SKIPPED = "skipped"  # there was nothing to change, or nobody to tell
    FAILED = "failed"  # Feishu refuses it for good; `error` says why
    PARKED = "parked"  # somebody put it aside; see storage.core.parked_items


class OutboxMessage(Base):
    """One message or card drawing on its way out. `id` is the order within a partition."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_state_lane", "state", "lane", "id"), Index("ix_outbox_due", "state", "due_at"))
    id: Mapped[id_key]
    partition: Mapped[key_text] = mapped_column("lane")  # keyed hash of the receiver
    receiver: Mapped[sealed]
    card_id: Mapped[int | None] = mapped_column(ForeignKey("card.id"), index=True)  # None: a text
    body: Mapped[sealed | None]
    reply_to: Mapped[str | None]  # message id
    state: Mapped[key_text] = mapped_column(default=OutboxState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]
    # Of the event behind it; None for what nobody caused.
    correlation_id: Mapped[str | None] = mapped_column("trail", String(16))

    def is_due(self, now: datetime) -> bool:
        """Only a repeat waits: a first attempt is never held up by the clock of another machine being ahead of ours."""
        return self.attempts == 0 or not now < self.due_at <= now + LONGEST_WAIT


# Made once and run on the tables: through the ORM each costs several times as much, and almost all that is done ends
# in one of them.
_ADD_CARD, _ADD = (
    insert(cast(Table, kind.__table__)).returning(kind.__table__.c.id) for kind in (PostedCard, OutboxMessage)
)


class Outbox:
    def __init__(self, session: Session) -> None:
        self._session = session

    def card(self, id: int) -> PostedCard | None:
        return self._session.get(PostedCard, id)

    def card_of_message(self, message_id: str) -> PostedCard | None:
        return self._session.scalar(select(PostedCard).where(PostedCard.message_id == message_id))

    def cards_of(self, kind: str, subject: str) -> list[PostedCard]:
        query = select(PostedCard).where(
            PostedCard.kind == kind, PostedCard.subject == subject, PostedCard.retired.is_(False)
        )
        return list(self._session.scalars(query.order_by(PostedCard.id)))

    def add_card(
        self, *, kind: str, subject: str, params: Any, receiver: str, partition: str, at: datetime,
        refresh_at: datetime | None = None,
    ) -> int:  # fmt: skip
        """A card that does not stand in its chat yet; its id."""
        card = {
            "kind": kind, "subject": subject, "params": params, "receiver": receiver, "lane": partition,
            "created_at": at, "redraw_at": refresh_at,
        }  # fmt: skip
        return int(self._session.scalars(_ADD_CARD, card).one())

    def add(
        self, *, receiver: str, partition: str, at: datetime, card_id: int | None = None, body: str | None = None,
        reply_to: str | None = None, correlation_id: str | None = None,
    ) -> int:  # fmt: skip
        """A message or drawing that waits to be sent, last in its partition; its id."""
        message = {
            "lane": partition, "receiver": receiver, "card_id": card_id, "body": body, "reply_to": reply_to,
            "trail": correlation_id, "created_at": at, "due_at": at,
        }  # fmt: skip
        return int(self._session.scalars(_ADD, message).one())

    def refresh_waits(self, card_id: int) -> bool:
        """Whether a drawing of that card is on its way that nobody started to send."""
        query = select(OutboxMessage.id).where(
            OutboxMessage.card_id == card_id,
            OutboxMessage.state == OutboxState.WAITING,
            OutboxMessage.attempts == 0,
        )
        # Locked, so that a delivery which takes it just now is waited for: it would draw what was before our change.
        return self._session.scalar(query.limit(1).with_for_update()) is not None

    def head(self, partition: str, *, lock: bool = False) -> OutboxMessage | None:
        """The oldest waiting message of a partition."""
        query = (
            select(OutboxMessage)
            .where(OutboxMessage.state == OutboxState.WAITING, OutboxMessage.partition == partition)
            .order_by(OutboxMessage.id)
            .limit(1)
        )
        return self._session.scalar(query.with_for_update() if lock else query)

    def sent_since(self, partition: str, since: datetime, limit: int = 5) -> list[datetime]:
        """When the last few messages of a partition were sent, as far as that was after `since`."""
        query = (
            select(OutboxMessage.sent_at)
            .where(OutboxMessage.state == OutboxState.SENT, OutboxMessage.partition == partition)
            .order_by(OutboxMessage.id.desc())
            .limit(limit)
        )
        return [at for at in self._session.scalars(query) if at is not None and at > since]

    def get(self, id: int) -> OutboxMessage | None:
        return self._session.get(OutboxMessage, id)

    def heads_due(self, now: datetime, forgotten: datetime, limit: int = 200) -> Sequence[tuple[str, int, int]]:
        """Partitions whose oldest message should be looked at again: partition, the message's id and its attempts.

        That is where an attempt failed and its time has come, or where a message older than `forgotten` was never
        tried (its own delivery job was used up while the message before it could not be sent). A time further away
        than `LONGEST_WAIT` was set by a clock that has jumped back since.
        """
        heads = (
            select(func.min(OutboxMessage.id))
            .where(OutboxMessage.state == OutboxState.WAITING)
            .group_by(OutboxMessage.partition)
        )
        query = (
            select(OutboxMessage.partition, OutboxMessage.id, OutboxMessage.attempts)
            .where(
                OutboxMessage.id.in_(heads),
                (OutboxMessage.due_at <= now) | (OutboxMessage.due_at > now + LONGEST_WAIT),
                (OutboxMessage.attempts > 0) | (OutboxMessage.created_at <= forgotten),
            )
            .order_by(OutboxMessage.due_at)
            .limit(limit)
        )
        return [(row[0], row[1], row[2]) for row in self._session.execute(query)]

    def waiting(self, before: datetime | None = None) -> tuple[int, datetime | None]:
        """How many are not sent, and when the oldest of them was written; only those written before `before`."""
        query = select(func.count(), func.min(OutboxMessage.created_at)).where(
            OutboxMessage.state == OutboxState.WAITING
        )
        row = self._session.execute(query if before is None else query.where(OutboxMessage.created_at < before)).one()
        return row[0], row[1]

    def forget(self, before: datetime) -> None:
        """Delete what was sent, given up or put aside and written before that moment; the cards stay known."""
        gone = delete(OutboxMessage).where(
            OutboxMessage.state != OutboxState.WAITING, OutboxMessage.created_at < before
        )
        self._session.execute(gone)

    def failed(self, since: datetime) -> int:
        query = select(func.count()).where(OutboxMessage.state == OutboxState.FAILED, OutboxMessage.created_at >= since)
        return self._session.scalar(query) or 0

    def refresh_due(self, now: datetime, limit: int = 100) -> list[PostedCard]:
        query = select(PostedCard).where(PostedCard.refresh_at <= now, PostedCard.retired.is_(False)).limit(limit)
        return list(self._session.scalars(query))
