"""Who may do what: the table that docs and people rely on."""

from __future__ import annotations

import pytest

from bot.contributions.permissions import Permission
from bot.permissions import Actor, stranger
from storage.areas.people import People, Person, PersonState, RoleHeld
from storage.database import Database
from tests.house import all_areas
from tests.rows import NOW, person

RIGHTS = all_areas().roles
ROLES = RIGHTS.built_in
VIEW, VOTE, REQUEST = (Permission(name) for name in ("complaint.view", "approval.vote", "refund.request"))
TABLE = """
permission        viewer support operator approver finance admin
complaint.view    yes    yes     yes      yes      yes     yes
complaint.handle  -      yes     yes      -        -       yes
complaint.assign  -      -       -        -        -       yes
refund.request    -      -       yes      -        -       yes
approval.vote     -      -       -        yes      yes     yes
digest.manage     -      -       yes      -        yes     yes
people.manage     -      -       -        -        -       yes
audit.read        -      -       -        yes      yes     yes
status.read       -      -       -        -        -       yes
status.manage     -      -       -        -        -       yes
personal.reveal   -      -       yes      -        -       yes
"""


def test_the_table_of_roles_and_permissions() -> None:
    rows = [["permission", *ROLES]]
    rows += [[p, *("yes" if p in held else "-" for held in ROLES.values())] for p in RIGHTS.permissions]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = "\n".join(" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    print(table)  # noqa: T201  # pytest shows it when it differs
    assert [line.split() for line in table.splitlines()] == [line.split() for line in TABLE.strip().splitlines()]


def test_who_asks_for_money_does_not_approve_it_by_the_same_role() -> None:
    both = {REQUEST, VOTE}
    assert [name for name, held in ROLES.items() if both <= held] == ["admin"]


def actor(role: str, scope: str) -> Actor:
    held = RoleHeld(role=role, scope=scope, granted_at=NOW, source="chat")
    return RIGHTS.actor(Person(id=1, open_id="ou_a", name="A", state=PersonState.ACTIVE, roles=[held]), {})


@pytest.mark.parametrize("permission", RIGHTS.permissions)
@pytest.mark.parametrize("role", list(ROLES))
def test_a_role_holds_where_it_was_given_and_nowhere_else(role: str, permission: Permission) -> None:
    somewhere, everywhere = actor(role, "mall"), actor(role, "*")
    held = permission in ROLES[role]
    assert somewhere.may(permission, "mall") is held
    assert somewhere.may(permission) is held
    assert not somewhere.may(permission, "app")
    assert everywhere.may(permission, "app") is held
    assert somewhere.programs(permission) == (("mall",) if held else ())
    assert everywhere.programs(permission) == (None if held else ())


def test_several_roles_add_up(database: Database) -> None:
    with database.write() as session:
        person(session, "ou_a", "A", ("viewer", "*"), ("operator", "mall"), ("approver", "app"))
    with database.read() as session:
        actor = RIGHTS.find(People(session), "ou_a")
    assert actor.may(VIEW, "anything")
    assert actor.may(REQUEST, "mall")
    assert not actor.may(REQUEST, "app")
    assert actor.may(VOTE, "app")
    assert actor.holds("viewer", "mall")
    assert actor.holds("operator", "mall")
    assert not actor.holds("operator", "app")


def test_strangers_and_leavers_may_nothing_but_what_asks_for_nothing(database: Database) -> None:
    with database.write() as session:
        left = person(session, "ou_left", "Left", ("admin", "*"))
        left.state = "left"  # and whatever roles a race left behind
    with database.read() as session:
        gone = RIGHTS.find(People(session), "ou_left")
        unknown = RIGHTS.find(People(session), "ou_unknown")
    assert unknown == stranger("ou_unknown")
    for actor in (gone, unknown):
        assert actor.may(None)
        assert not any(actor.may(permission) or actor.may(permission, "*") for permission in RIGHTS.permissions)
    assert not gone.holds("admin", "*")


def test_a_role_of_the_company_holds_what_it_lists_and_an_unknown_role_nothing(database: Database) -> None:
    with database.write() as session:
        people = People(session)
        people.set_custom_role("night", ["complaint.view", "audit.read", "no.such.permission"])
        people.set_custom_role("admin", ["complaint.view"])  # a built-in name keeps its meaning
        person(session, "ou_a", "A", ("night", "mall"), ("gone", "mall"))
        person(session, "ou_b", "B", ("admin", "*"))
        assert people.grant(person(session, "ou_c", "C"), "gone", "*", at=NOW, source="chat")
    with database.read() as session:
        actor = RIGHTS.find(People(session), "ou_a")
        assert {p for p in RIGHTS.permissions if actor.may(p, "mall")} == {VIEW, Permission("audit.read")}
        assert RIGHTS.find(People(session), "ou_b").may(Permission("people.manage"))
        nobody: Actor = RIGHTS.find(People(session), "ou_c")
        assert not any(nobody.may(p) for p in RIGHTS.permissions)
