"""What a person may do: permissions, the roles that carry them, and where they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.contributions.permissions import ROLE_NAMES, Permission, PermissionSpec
from storage.areas.people import EVERYWHERE, People, Person


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking, with what they may do where. A stranger has no `id` and may nothing."""

    open_id: str
    name: str
    id: int | None
    active: bool
    grants: Mapping[str, frozenset[Permission]]  # by scope: a program or "*"
    roles: tuple[tuple[str, str], ...] = ()  # (role, scope)

    def may(self, permission: Permission | None, scope: str | None = None) -> bool:
        """On that program; with no scope: anywhere at all (for offering a command). None asks for nothing."""
        if permission is None:
            return True
        if not self.active:
            return False
        if scope is None:
            return any(permission in held for held in self.grants.values())
        return permission in self.grants.get(EVERYWHERE, ()) or permission in self.grants.get(scope, ())

    def programs(self, permission: Permission) -> tuple[str, ...] | None:
        """The programs where it holds; None means all of them."""
        if permission in self.grants.get(EVERYWHERE, ()):
            return None
        return tuple(sorted(scope for scope, held in self.grants.items() if permission in held))

    @property
    def is_stranger(self) -> bool:
        """Unknown, or without any role."""
        return self.id is None or not self.roles

    def holds(self, role: str, scope: str) -> bool:
        return self.active and any(held == role and where in (EVERYWHERE, scope) for held, where in self.roles)


def stranger(open_id: str, name: str = "") -> Actor:
    return Actor(open_id, name or open_id, None, False, {})


class Roles:
    """What the permissions of all areas make of the roles that every company has, and of those that it made itself."""

    def __init__(self, specs: Iterable[PermissionSpec]) -> None:
        known = tuple(specs)
        for spec in known:
            if unknown := set(spec.roles) - set(ROLE_NAMES):
                raise ValueError(f"the permission {spec.name!r} names roles that there are not: {sorted(unknown)}")
        self.permissions: tuple[Permission, ...] = tuple(spec.name for spec in known)
        self.built_in: Mapping[str, frozenset[Permission]] = {
            role: frozenset(spec.name for spec in known if role in spec.roles or role == "admin") for role in ROLE_NAMES
        }

    def permissions_of(self, role: str, custom: Mapping[str, Sequence[str]]) -> frozenset[Permission]:
        """What a role carries, built in or made by the company; an unknown one carries nothing."""
        return self.built_in.get(role) or frozenset(each for each in self.permissions if each in custom.get(role, ()))

    def actor(self, person: Person, custom: Mapping[str, Sequence[str]]) -> Actor:
        grants: dict[str, frozenset[Permission]] = {}
        for held in person.roles:
            grants[held.scope] = grants.get(held.scope, frozenset()) | self.permissions_of(held.role, custom)
        roles = tuple((held.role, held.scope) for held in person.roles)
        return Actor(person.open_id, person.name, person.id, person.is_active, grants, roles)

    def find(self, people: People, open_id: str) -> Actor:
        """The person behind an open id; a stranger where nobody is known by it."""
        person = people.by_open_id(open_id)
        return stranger(open_id) if person is None else self.actor(person, people.custom_roles())
