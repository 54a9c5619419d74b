"""Roles from chat, who am I, and what happens when somebody leaves."""

from __future__ import annotations

from functools import reduce

from pydantic import BaseModel, Field

from bot.cards.values import Card, Facts, Line, Note, Tone, Words
from bot.contributions.people import OnPersonLeft, OnRightsLost
from bot.contributions.permissions import ROLE_NAMES, Permission
from bot.contributions.routing import Asked, Command, NoArguments
from bot.drawing import Look
from bot.errors import Refused
from bot.feishu.values import UserChanged, UserLeft
from bot.incoming.messages import mentioned
from bot.incoming.router import not_allowed
from bot.permissions import Actor
from bot.texts import Mention, Text, text
from bot.unit import Unit, to_person
from storage.areas.people import EVERYWHERE, Person

ME = "me"
MANAGE = Permission("people.manage")


class RoleArguments(BaseModel):
    person: str = Field(title="人员", max_length=80)
    role: str = Field(title="角色", max_length=40)
    scope: str = Field(default=EVERYWHERE, title="范围", max_length=64)


def grant(unit: Unit, asked: Asked, arguments: RoleArguments) -> None:
    person, role, scope = _read(unit, asked, arguments)
    _within_reach(unit, asked.actor, role, scope)
    if not person.is_active:
        raise Refused(text("people.has_left", who=person.name))
    if not unit.people.grant(person, role, scope, at=unit.now, source="chat"):
        raise Refused(text("people.has_role", who=person.name, role=role, scope=scope))
    unit.audit("people.granted", f"person:{person.id}", asked.actor, who={"person": person.id}, role=role, scope=scope)
    unit.send_text(
        asked.chat,
        text("people.granted", who=Mention(person.open_id, person.name), role=role, scope=_scope(unit, scope)),
        reply_to=asked.message_id,
    )
    if person.open_id != asked.actor.open_id:
        unit.send_text(
            to_person(person.open_id),
            text("people.granted_you", by=asked.actor.name, role=role, scope=_scope(unit, scope)),
        )


def revoke(unit: Unit, asked: Asked, arguments: RoleArguments) -> None:
    person, role, scope = _read(unit, asked, arguments)
    everywhere = scope == EVERYWHERE
    _within_reach(unit, asked.actor, role, scope)
    if role == "admin" and everywhere and _last_admin(unit, person):
        raise Refused(text("people.last_admin"))
    if not unit.people.revoke(person, role, None if everywhere else scope):
        raise Refused(text("people.has_no_role", who=person.name, role=role))
    unit.audit("people.revoked", f"person:{person.id}", asked.actor, who={"person": person.id}, role=role, scope=scope)
    freed = sum(lost.run(unit, person) for lost in unit.areas.of(OnRightsLost))
    words = text(
        "people.revoked", who=Mention(person.open_id, person.name), role=role, scope=_scope(unit, scope), freed=freed
    )
    unit.send_text(asked.chat, words, reply_to=asked.message_id)


def me(unit: Unit, asked: Asked, arguments: NoArguments) -> None:
    params = {"for": asked.actor.open_id}
    unit.send_card(ME, str(asked.actor.id or 0), asked.chat, params=params, reply_to=asked.message_id)


def draw_me(look: Look) -> Card:
    actor = look.actor(str(look.params.get("for", "")))
    if actor.id is None or not actor.roles:
        note = Note(text("people.ask_admin"))
        title = text("people.me", who=actor.name) if actor.id is not None else text("people.me_stranger")
        return Card(title, (Line(text("people.no_roles")), note), Tone.NEUTRAL)
    pairs: list[tuple[Text, Words]] = [
        (text("people.role", role=role), text("people.everywhere") if scope == EVERYWHERE else scope)
        for role, scope in actor.roles
    ]
    held = {permission for permissions in actor.grants.values() for permission in permissions}
    names = [text(f"permission.{permission}") for permission in look.areas.roles.permissions if permission in held]
    lines = [Line(text("people.can", what=reduce(lambda one, other: text("list.and", one=one, other=other), names)))]
    return Card(text("people.me", who=actor.name), (Facts(tuple(pairs)), *lines), Tone.CALM)


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


def _read(unit: Unit, asked: Asked, arguments: RoleArguments) -> tuple[Person, str, str]:
    open_id = mentioned(arguments.person)
    if open_id is None:
        raise Refused(text("people.mention_needed", given=arguments.person[:40]))
    known = {*ROLE_NAMES, *unit.people.custom_roles()}
    role = arguments.role.casefold()
    if role not in known:
        raise Refused(text("people.role_unknown", given=arguments.role, known=" ".join(sorted(known))))
    scope = arguments.scope
    programs = {program.key for program in unit.configuration.programs()}
    if scope != EVERYWHERE and scope not in programs:
        named = [program.key for program in unit.configuration.programs() if program.name == scope]
        if not named:
            raise Refused(text("people.scope_unknown", given=scope, known=" ".join(sorted(programs)) or "*"))
        scope = named[0]
    names = dict(asked.mentions)
    return unit.people.ensure(open_id, name=names.get(open_id, ""), at=unit.now), role, scope


def _within_reach(unit: Unit, actor: Actor, role: str, scope: str) -> None:
    """Nobody gives or takes away more than they hold themselves, nor elsewhere than where they manage people."""
    if not actor.may(MANAGE, scope):
        raise Refused(not_allowed(MANAGE, actor))
    if any(
        not actor.may(permission, scope)
        for permission in unit.areas.roles.permissions_of(role, unit.people.custom_roles())
    ):
        raise Refused(text("people.role_beyond", role=role))


def _scope(unit: Unit, scope: str) -> Text:
    program = unit.configuration.program(scope)
    return text("people.everywhere") if scope == EVERYWHERE else text("words", words=program.name if program else scope)


def _last_admin(unit: Unit, person: Person) -> bool:
    admins = unit.people.holding("admin", EVERYWHERE)
    return [admin.id for admin in admins] == [person.id]


COMMANDS = (
    Command(
        ("授权", "grant"),
        MANAGE,
        RoleArguments,
        grant,
        text("help.grant"),
        text("help.usage.grant"),
    ),
    Command(
        ("撤权", "revoke"),
        MANAGE,
        RoleArguments,
        revoke,
        text("help.revoke"),
        text("help.usage.revoke"),
    ),
    Command(("我", "me", "whoami"), None, NoArguments, me, text("help.me"), text("help.usage.me")),
)
