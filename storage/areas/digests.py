"""Who gets which digest, when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session

from storage.base import Base, id_key, key_text


class Subscription(Base):
    """A digest that a chat gets every day at `hour`:`minute` of its own time zone."""

    __tablename__ = "subscription"
    __table_args__ = (UniqueConstraint("kind", "chat_id"),)
    id: Mapped[id_key]
    kind: Mapped[key_text]
    chat_id: Mapped[key_text]
    hour: Mapped[int]
    minute: Mapped[int]
    since: Mapped[datetime]
    source: Mapped[key_text]  # "file" or "chat"


class Subscriptions:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, kind: str, chat_id: str) -> Subscription | None:
        query = select(Subscription).where(Subscription.kind == kind, Subscription.chat_id == chat_id)
        return self._session.scalar(query)

    def all(self) -> list[Subscription]:
        return list(self._session.scalars(select(Subscription).order_by(Subscription.id)))

    def set(self, kind: str, chat_id: str, hour: int, minute: int, *, at: datetime, source: str) -> Subscription:
        row = self.get(kind, chat_id)
        if row is None:
            row = Subscription(kind=kind, chat_id=chat_id, hour=hour, minute=minute, since=at, source=source)
            self._session.add(row)
        else:
            row.hour, row.minute, row.since, row.source = hour, minute, at, source
        self._session.flush()
        return row

    def remove(self, row: Subscription) -> None:
        self._session.delete(row)
        self._session.flush()
