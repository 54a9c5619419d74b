"""Toys that were promised to customers, and the shelves they stand on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, id_key, key_text


class Toy(Base):
    __tablename__ = "toy"
    id: Mapped[id_key]
    name: Mapped[key_text]
    chat_id: Mapped[key_text]
    complaint_id: Mapped[int | None]
    maker_id: Mapped[int | None]
    polished: Mapped[int] = mapped_column(default=0)
    counted: Mapped[int] = mapped_column(default=0)
    told: Mapped[int] = mapped_column(default=0)
    given_at: Mapped[datetime | None]

    @property
    def number(self) -> str:
        return f"T{self.id}"


class ToyShelf(Base):
    __tablename__ = "toy_shelf"
    name: Mapped[key_text] = mapped_column(primary_key=True)


class Toys:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, toy: Toy) -> Toy:
        self._session.add(toy)
        self._session.flush()
        return toy

    def get(self, id: int) -> Toy | None:
        return self._session.get(Toy, id)

    def open(self) -> list[Toy]:
        return list(self._session.scalars(select(Toy).where(Toy.given_at.is_(None)).order_by(Toy.id)))

    def promised(self, complaint_id: int) -> list[Toy]:
        query = select(Toy).where(Toy.complaint_id == complaint_id, Toy.given_at.is_(None))
        return list(self._session.scalars(query.order_by(Toy.id)))

    def count(self) -> int:
        return self._session.scalar(select(func.count()).select_from(Toy)) or 0

    def shelves(self) -> list[ToyShelf]:
        return list(self._session.scalars(select(ToyShelf).order_by(ToyShelf.name)))

    def forget(self, before: datetime) -> None:
        self._session.execute(delete(Toy).where(Toy.given_at < before))
