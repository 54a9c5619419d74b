"""What a person may do: permissions, the roles that carry them, and where they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from storage.people import EVERYWHERE, People, Person


class Permission(StrEnum):
    COMPLAINT_VIEW = "complaint.view"
    COMPLAINT_HANDLE = "complaint.handle"  # claim, answer, finish
    COMPLAINT_ASSIGN = "complaint.assign"  # take over or hand on somebody else's
    REFUND_REQUEST = "refund.request"
    APPROVAL_VOTE = "approval.vote"  # and only for what a policy names one an approver of
    DIGEST_MANAGE = "digest.manage"
    PEOPLE_MANAGE = "people.manage"
    AUDIT_READ = "audit.read"
    STATUS_READ = "status.read"
    STATUS_MANAGE = "status.manage"  # try stuck items again, put them aside
    PERSONAL_REVEAL = "personal.reveal"


_VIEWER = frozenset({Permission.COMPLAINT_VIEW})
_SUPPORT = _VIEWER | {Permission.COMPLAINT_HANDLE}
_OPERATOR = _SUPPORT | {Permission.REFUND_REQUEST, Permission.DIGEST_MANAGE, Permission.PERSONAL_REVEAL}
_APPROVER = _VIEWER | {Permission.APPROVAL_VOTE, Permission.AUDIT_READ}
_FINANCE = _APPROVER | {Permission.DIGEST_MANAGE}

ROLES: Mapping[str, frozenset[Permission]] = {
    "viewer": _VIEWER,
    "support": _SUPPORT,
    "operator": _OPERATOR,
    "approver": _APPROVER,
    "finance": _FINANCE,
    "admin": frozenset(Permission),
}


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


def permissions_of(role: str, custom: Mapping[str, Sequence[str]]) -> frozenset[Permission]:
    """What a role carries, built in or made by the company; an unknown one carries nothing."""
    return ROLES.get(role) or frozenset(each for each in Permission if each.value in custom.get(role, ()))


def actor_of(person: Person, custom: Mapping[str, Sequence[str]]) -> Actor:
    grants: dict[str, frozenset[Permission]] = {}
    for held in person.roles:
        grants[held.scope] = grants.get(held.scope, frozenset()) | permissions_of(held.role, custom)
    roles = tuple((held.role, held.scope) for held in person.roles)
    return Actor(person.open_id, person.name, person.id, person.is_active, grants, roles)


def find_actor(people: People, open_id: str) -> Actor:
    person = people.by_open_id(open_id)
    return stranger(open_id) if person is None else actor_of(person, people.custom_roles())
