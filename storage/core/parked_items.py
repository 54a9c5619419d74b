"""What was stuck and was put aside by somebody, until it is taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, key_text, long_key


class ParkedItem(Base):
    """Something stuck that somebody put aside. `was` is the state it goes back to."""

    __tablename__ = "parked"
    kind: Mapped[key_text] = mapped_column(primary_key=True)
    subject: Mapped[long_key] = mapped_column(primary_key=True)
    was: Mapped[key_text]
    by_id: Mapped[int | None]
    at: Mapped[datetime]


class ParkedItems:
    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, kind: str, subject: str, was: str, by_id: int | None, at: datetime) -> None:
        self._session.merge(ParkedItem(kind=kind, subject=subject, was=was, by_id=by_id, at=at))

    def get(self, kind: str, subject: str) -> ParkedItem | None:
        return self._session.get(ParkedItem, (kind, subject), with_for_update=True)

    def take(self, kind: str, subject: str) -> ParkedItem | None:
        """Take it out of there; what it was."""
        row = self.get(kind, subject)
        if row is not None:
            self._session.delete(row)
        return row

    def all(self, limit: int = 50) -> Sequence[ParkedItem]:
        """Newest first."""
        return list(
            self._session.scalars(select(ParkedItem).order_by(ParkedItem.at.desc(), ParkedItem.subject).limit(limit))
        )

    def subjects(self, kind: str) -> set[str]:
        return set(self._session.scalars(select(ParkedItem.subject).where(ParkedItem.kind == kind)))

    def count(self) -> int:
        return self._session.scalar(select(func.count()).select_from(ParkedItem)) or 0

    def forget(self, before: datetime) -> None:
        """What was put aside that long ago is shown again, if it is still there and still stuck."""
        self._session.execute(delete(ParkedItem).where(ParkedItem.at < before))
