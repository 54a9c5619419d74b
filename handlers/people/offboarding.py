"""What happens when somebody leaves, or is called otherwise."""

from __future__ import annotations

from bot.contributions.people import OnPersonLeft
from bot.feishu.values import UserChanged, UserLeft
from bot.texts import text
from bot.unit import Unit, to_person
from storage.areas.people import EVERYWHERE, Person


def on_left(unit: Unit, event: UserLeft) -> None:
    """Somebody left the company: nothing of their access stays, and nothing that they asked for goes on."""
    person = unit.people.by_open_id(event.open_id)
    if person is not None and person.is_active:
        leave(unit, person)


def on_changed(unit: Unit, event: UserChanged) -> None:
    person = unit.people.by_open_id(event.user.open_id)
    if person is None:
        return
    if not event.user.active and person.is_active:
        leave(unit, person)
    elif event.user.name and person.name != event.user.name:
        person.name = event.user.name


def leave(unit: Unit, person: Person) -> None:
    roles = unit.people.leave(person, unit.now)
    freed = sum(left.run(unit, person) for left in unit.areas.of(OnPersonLeft))
    unit.audit("people.left", f"person:{person.id}", None, who={"person": person.id}, roles=roles, freed=freed)
    for admin in unit.people.holding("admin", EVERYWHERE):
        unit.send_text(to_person(admin.open_id), text("people.left", who=person.name, roles=roles, freed=freed))
