"""People of the company, and the roles they hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from storage.base import Base, blind, id_key, key_text, plain_json, sealed

EVERYWHERE = "*"


class PersonState(StrEnum):
    ACTIVE = "active"
    LEFT = "left"


class Person(Base):
    """Somebody who used the bot, or whom the apply file names."""

    __tablename__ = "person"
    id: Mapped[id_key]
    open_id: Mapped[sealed]
    open_id_index: Mapped[blind] = mapped_column(unique=True)
    name: Mapped[sealed]
    state: Mapped[key_text] = mapped_column(default=PersonState.ACTIVE)
    created_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    roles: Mapped[list[RoleHeld]] = relationship(back_populates="person", lazy="selectin", cascade="all, delete-orphan")

    @property
    def is_active(self) -> bool:
        return self.state == PersonState.ACTIVE


class RoleHeld(Base):
    """A role of a person, everywhere (`*`) or on one program."""

    __tablename__ = "role_held"
    __table_args__ = (UniqueConstraint("person_id", "role", "scope"),)
    id: Mapped[id_key]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    role: Mapped[key_text]
    scope: Mapped[key_text]
    granted_at: Mapped[datetime]
    source: Mapped[key_text]  # "file" (apply) or "chat"
    person: Mapped[Person] = relationship(back_populates="roles")


class CustomRole(Base):
    """A role that the company made itself: a name and its permissions."""

    __tablename__ = "custom_role"
    name: Mapped[key_text] = mapped_column(primary_key=True)
    permissions: Mapped[plain_json]


class People:
    def __init__(self, session: Session) -> None:
        self._session = session

    def by_id(self, id: int) -> Person | None:
        return self._session.get(Person, id)

    def by_open_id(self, open_id: str) -> Person | None:
        return self._session.scalar(select(Person).where(Person.open_id_index == open_id))

    def ensure(self, open_id: str, *, name: str, at: datetime) -> Person:
        """The person, made if unknown. A known name is only replaced by a better one (not by an id)."""
        person = self.by_open_id(open_id)
        if person is None:
            person = Person(open_id=open_id, open_id_index=open_id, name=name or open_id, created_at=at, roles=[])
            self._session.add(person)
            self._session.flush()
        elif name and name != open_id and person.name != name:
            person.name = name
        return person

    def all(self) -> list[Person]:
        return list(self._session.scalars(select(Person).order_by(Person.id)))

    def grant(self, person: Person, role: str, scope: str, *, at: datetime, source: str) -> bool:
        """False when the person holds it already."""
        if any(held.role == role and held.scope == scope for held in person.roles):
            return False
        person.roles.append(RoleHeld(role=role, scope=scope, granted_at=at, source=source))
        self._session.flush()
        return True

    def revoke(self, person: Person, role: str, scope: str | None = None) -> int:
        """How many were taken away; with no scope, the role is taken everywhere."""
        gone = [held for held in person.roles if held.role == role and scope in (None, held.scope)]
        for held in gone:
            person.roles.remove(held)
        self._session.flush()
        return len(gone)

    def leave(self, person: Person, at: datetime) -> int:
        """Mark as left and take every role away; how many roles that were."""
        person.state, person.left_at = PersonState.LEFT, at
        count = len(person.roles)
        person.roles.clear()
        self._session.flush()
        return count

    def holding(self, role: str, scope: str) -> list[Person]:
        """Active people who hold the role on that program, or everywhere."""
        query = (
            select(Person)
            .join(RoleHeld)
            .where(Person.state == PersonState.ACTIVE, RoleHeld.role == role, RoleHeld.scope.in_((scope, EVERYWHERE)))
            .order_by(Person.id)
        )
        return list(self._session.scalars(query.distinct()).unique())

    def custom_roles(self) -> dict[str, Sequence[str]]:
        return {role.name: role.permissions for role in self._session.scalars(select(CustomRole))}

    def set_custom_role(self, name: str, permissions: Sequence[str]) -> None:
        self._session.merge(CustomRole(name=name, permissions=list(permissions)))

    def drop_custom_role(self, name: str) -> None:
        self._session.execute(delete(CustomRole).where(CustomRole.name == name))
