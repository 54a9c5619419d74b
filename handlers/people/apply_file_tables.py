"""What the apply file declares of people: roles that they hold, and roles that the company made itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from bot.area import Areas
from bot.contributions.configuration import Applying, Change, ConfigTable, Declared, Table, areas_of, one_of
from bot.contributions.permissions import ROLE_NAMES
from handlers.shared.apply_file_rows import programs
from storage.areas.people import People


class RoleTable(Table):
    person: str = Field(pattern=r"^ou_")
    role: str
    scope: str = "*"
    name: str = ""


def _known(permission: str, info: ValidationInfo) -> str:
    return one_of(permission, areas_of(info).roles.permissions)


class CustomRoleTable(Table):
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")
    permissions: tuple[Annotated[str, AfterValidator(_known)], ...]


def _leads_somewhere(declared: Declared, areas: Areas) -> Iterator[str]:
    roles = {*ROLE_NAMES, *(role.name for role in declared["custom_role"])}
    known = programs(declared)
    for role in declared["role"]:
        if role.role not in roles:
            yield f"role: {role.role!r} is not a role; known are {' '.join(sorted(roles))}"
        if role.scope != "*" and role.scope not in known:
            yield f"role {role.role}: there is no program {role.scope!r}"


def _name_is_free(declared: Declared, areas: Areas) -> Iterator[str]:
    for custom in declared["custom_role"]:
        if custom.name in ROLE_NAMES:
            yield f"custom_role {custom.name}: that name is taken"


def _custom_roles(applying: Applying, declared: Declared) -> list[Change]:
    people = People(applying.session)
    found = people.custom_roles()
    changes: list[Change] = []
    for role in declared["custom_role"]:
        permissions = sorted(role.permissions)
        if list(found.get(role.name, ())) != permissions:
            changes.append(Change("~" if role.name in found else "+", f"custom_role {role.name}"))
            people.set_custom_role(role.name, permissions)
    for name in set(found) - {role.name for role in declared["custom_role"]}:
        people.drop_custom_role(name)
        changes.append(Change("-", f"custom_role {name}"))
    applying.session.flush()
    return changes


def _roles(applying: Applying, declared: Declared) -> list[Change]:
    """Roles that were given in chat stay."""
    people, now = People(applying.session), applying.now
    changes: list[Change] = []
    wanted = {(role.person, role.role, role.scope) for role in declared["role"]}
    for person in people.all():
        for held in [held for held in person.roles if held.source == "file"]:
            if (person.open_id, held.role, held.scope) not in wanted:
                people.revoke(person, held.role, held.scope)
                changes.append(Change("-", f"role {held.role} {held.scope}", _masked(person.open_id)))
    for role in declared["role"]:
        known = people.by_open_id(role.person)
        if known is not None and not known.is_active:
            changes.append(Change("!", f"role {role.role} {role.scope}", f"{_masked(role.person)} has left: not given"))
            continue
        person = people.ensure(role.person, name=role.name, at=now)
        if people.grant(person, role.role, role.scope, at=now, source="file"):
            changes.append(Change("+", f"role {role.role} {role.scope}", _masked(role.person)))
    return changes


def _masked(open_id: str) -> str:
    return f"{open_id[:6]}…{open_id[-2:]}"


TABLES = (
    ConfigTable("custom_role", CustomRoleTable, _custom_roles, check=_name_is_free, place=1),
    ConfigTable("role", RoleTable, _roles, check=_leads_somewhere, place=2),
)
