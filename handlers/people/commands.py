"""Roles from chat, and who am I."""

from __future__ import annotations

from pydantic import BaseModel, Field

from bot.contributions.people import OnRightsLost
from bot.contributions.permissions import ROLE_NAMES, Permission
from bot.contributions.routing import Asked, Command, NoArguments
from bot.errors import Refused
from bot.incoming.messages import mentioned
from bot.incoming.router import not_allowed
from bot.permissions import Actor
from bot.texts import Mention, Text, text
from bot.unit import Unit, to_person
from handlers.people.cards import ME
from storage.areas.people import EVERYWHERE, Person

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
