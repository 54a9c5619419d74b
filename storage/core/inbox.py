"""What came in from outside, stored once under its natural id before anybody acts on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from sqlalchemy import Index, Table, delete, func, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, key_text, long_key, sealed


class InboxState(StrEnum):
    NEW = "new"
    DONE = "done"
    IGNORED = "ignored"  # nobody handles it; kept and counted, without a body where that was told on arrival
    FAILED = "failed"  # gave up; `incident` finds the log lines
    PARKED = "parked"  # somebody put it aside; see storage.core.parked_items


class InboxItem(Base):
    """One event, click or channel push."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_state_received_at", "state", "received_at"),)
    id: Mapped[long_key] = mapped_column(primary_key=True)
    source: Mapped[key_text]
    kind: Mapped[long_key]
    body: Mapped[sealed]
    received_at: Mapped[datetime]
    state: Mapped[key_text] = mapped_column(default=InboxState.NEW)
    done_at: Mapped[datetime | None]
    incident: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came in, not yet stored. `id` is its natural id.

    `unhandled`: nobody will act on it, so it is settled as it is stored, and only that it came is kept: its words are
    of no use to us. `is_urgent`: a person waits for what it does.
    """

    id: str
    source: str
    kind: str
    body: str
    received_at: datetime
    unhandled: bool = False
    is_urgent: bool = False


# Made once and run on the table: an insert through the ORM costs ten times as much, and this is the busiest statement.
_STORE = {
    name: insert(cast(Table, InboxItem.__table__)).on_conflict_do_nothing().returning(InboxItem.__table__.c.id)
    for name, insert in (("sqlite", sqlite_insert), ("postgresql", postgres_insert))
}


class Inbox:
    def __init__(self, session: Session) -> None:
        self._session = session

    def store(self, *, id: str, source: str, kind: str, body: str, at: datetime) -> bool:
        """Keep it; False when it was here already."""
        return bool(self.store_all([Arrival(id, source, kind, body, at)]))

    def store_all(self, arrivals: Sequence[Arrival]) -> set[str]:
        """Keep them; the ids of those that were not here yet."""
        rows = [
            {
                "id": each.id,
                "source": each.source,
                "kind": each.kind,
                "body": "" if each.unhandled else each.body,
                "received_at": each.received_at,
                "state": InboxState.IGNORED if each.unhandled else InboxState.NEW,
                "done_at": each.received_at if each.unhandled else None,
            }
            # In one order for all: two processes that are given the same events at once never wait for one another.
            for each in sorted(arrivals, key=lambda one: one.id)
        ]
        return set(self._session.scalars(_STORE[self._session.get_bind().dialect.name], rows))

    def take(self, id: str) -> InboxItem | None:
        """The item, locked until the transaction ends; None when somebody finished it before."""
        item = self._session.get(InboxItem, id, with_for_update=True)
        return item if item is not None and item.state == InboxState.NEW else None

    def get(self, id: str) -> InboxItem | None:
        return self._session.get(InboxItem, id)

    def settle(self, id: str, state: InboxState, at: datetime, incident: str | None = None) -> None:
        item = self._session.get(InboxItem, id)
        if item is not None:
            item.state, item.done_at, item.incident = state, at, incident

    def waiting(self) -> tuple[int, datetime | None]:
        """How many are not finished, and when the oldest of them came."""
        row = self._session.execute(
            select(func.count(), func.min(InboxItem.received_at)).where(InboxItem.state == InboxState.NEW)
        ).one()
        return row[0], row[1]

    def stale(self, before: datetime, limit: int = 50) -> list[InboxItem]:
        """Unfinished items that came before `before`, oldest first."""
        query = (
            select(InboxItem)
            .where(InboxItem.state == InboxState.NEW, InboxItem.received_at < before)
            .order_by(InboxItem.received_at)
            .limit(limit)
        )
        return list(self._session.scalars(query))

    def forget(self, before: datetime) -> None:
        """Delete what was worked off, given up or put aside, and came before that moment: it holds people's words."""
        gone = delete(InboxItem).where(InboxItem.state != InboxState.NEW, InboxItem.received_at < before)
        self._session.execute(gone)

    def failed(self, since: datetime) -> int:
        query = select(func.count()).where(InboxItem.state == InboxState.FAILED, InboxItem.received_at >= since)
        return self._session.scalar(query) or 0
