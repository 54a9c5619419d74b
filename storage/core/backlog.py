"""What does not move: events not worked off, chats whose messages wait, messages and calls given up.

The outbox has a partition for each receiver; a partition waits for its oldest message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from storage.core.effects import Effect, EffectState
from storage.core.inbox import InboxItem, InboxState
from storage.core.outbox import OutboxMessage, OutboxState, PostedCard


@dataclass(frozen=True, slots=True)
class Partition:
    """The queue of one receiver: how many wait, since when, and the message that all wait for."""

    head: OutboxMessage
    waiting: int


class Backlog:
    def __init__(self, session: Session) -> None:
        self._session = session

    def events_failed(self, since: datetime, limit: int = 50) -> Sequence[InboxItem]:
        query = (
            select(InboxItem)
            .where(InboxItem.state == InboxState.FAILED, InboxItem.received_at >= since)
            .order_by(InboxItem.received_at.desc())
            .limit(limit)
        )
        return list(self._session.scalars(query))

    def event(self, id: str) -> InboxItem | None:
        return self._session.get(InboxItem, id, with_for_update=True, populate_existing=True)

    def partitions(self, before: datetime, limit: int = 5) -> Sequence[Partition]:
        """Receivers whose oldest waiting message was written before that moment, the longest wait first."""
        oldest = func.min(OutboxMessage.created_at)
        waiting = (
            select(func.min(OutboxMessage.id), func.count())
            .where(OutboxMessage.state == OutboxState.WAITING)
            .group_by(OutboxMessage.partition)
            .having(oldest < before)
            .order_by(oldest)
            .limit(limit)
        )
        found = []
        for id, count in self._session.execute(waiting).all():
            head = self._session.get(OutboxMessage, id)
            if head is not None:
                found.append(Partition(head, count))
        return found

    def messages_failed(self, since: datetime, limit: int = 50) -> Sequence[OutboxMessage]:
        """Messages given up, newest first; none whose card was given up with it and stands in its chat anew."""
        card, newer = aliased(PostedCard), aliased(PostedCard)
        replaced = (
            select(newer.id)
            .join(card, (card.kind == newer.kind) & (card.subject == newer.subject))
            .where(card.id == OutboxMessage.card_id, card.retired, ~newer.retired, newer.partition == card.partition)
            .exists()
        )
        query = (
            select(OutboxMessage)
            .where(OutboxMessage.state == OutboxState.FAILED, OutboxMessage.created_at >= since, ~replaced)
            .order_by(OutboxMessage.id.desc())
            .limit(limit)
        )
        return list(self._session.scalars(query))

    def message(self, id: int) -> OutboxMessage | None:
        return self._session.get(OutboxMessage, id, with_for_update=True, populate_existing=True)

    def oldest_due(self, now: datetime) -> datetime | None:
        """Since when the message that is due longest could have been sent."""
        query = select(func.min(OutboxMessage.due_at)).where(
            OutboxMessage.state == OutboxState.WAITING, OutboxMessage.due_at <= now
        )
        return self._session.scalar(query)

    def calls(self, before: datetime, limit: int = 50) -> Sequence[Effect]:
        """Calls outside whose outcome is not known and that were begun before that moment, oldest first."""
        query = (
            select(Effect)
            .where(Effect.state.in_((EffectState.STARTED, EffectState.UNKNOWN)), Effect.started_at < before)
            .order_by(Effect.started_at)
            .limit(limit)
        )
        return list(self._session.scalars(query))

    def call(self, key: str) -> Effect | None:
        return self._session.scalar(
            select(Effect).where(Effect.key == key).with_for_update().execution_options(populate_existing=True)
        )
