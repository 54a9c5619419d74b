"""`/状态`: what is waiting, stuck or failing; `/审计`: what was done, in sentences."""

from __future__ import annotations

import re

from pydantic import BaseModel, Field

from bot.contributions.routing import Asked, Click, Clicked, Command, NoArguments
from bot.contributions.search import by_letter, by_subject
from bot.errors import Refused
from bot.permissions import Actor
from bot.texts import text
from bot.unit import Unit, to_person
from handlers.status import permissions, repair
from handlers.status.audit_card import AUDIT
from handlers.status.cards import STATUS
from handlers.status.permissions import MANAGE, READ

_SUBJECT = re.compile(r"([a-z])?(\d{1,9})", re.IGNORECASE)


class AuditArguments(BaseModel):
    subject: str = Field(default="", title="编号", max_length=20)


def status(unit: Unit, asked: Asked, arguments: NoArguments) -> None:
    if asked.actor.programs(READ) is not None:
        raise Refused(text("status.scope"))  # it shows chats, people and work of every program
    unit.send_card(STATUS, "0", asked.chat, reply_to=asked.message_id)


def audit(unit: Unit, asked: Asked, arguments: AuditArguments) -> None:
    subject = _subject(unit, arguments.subject)
    _may_read(unit, asked.actor, subject)
    params = {"subject": subject, "page": 1, "name": arguments.subject.upper()}
    if subject is None and asked.is_group:
        # Everything that was done anywhere is not for everybody in a group.
        unit.send_card(AUDIT, "all", to_person(asked.actor.open_id), params=params)
        unit.send_text(asked.chat, text("home.todo_sent"), reply_to=asked.message_id)
        return
    unit.send_card(AUDIT, (subject or "all")[:64], asked.chat, params=params, reply_to=asked.message_id)


def _may_read(unit: Unit, actor: Actor, subject: str | None) -> None:
    """Whoever reads the audit for one program reads the stories of that program only."""
    programs = actor.programs(permissions.AUDIT)
    if programs is None:
        return
    found = by_subject(unit.areas, unit.session, subject or "")
    if found is None or found.scope not in programs:
        raise Refused(text("audit.scope"))


def _subject(unit: Unit, given: str) -> str | None:
    """What a number such as C12, R3 or A4 leads to: the subject whose story is told."""
    if not given:
        return None
    match = _SUBJECT.fullmatch(given.strip())
    if match is None:
        raise Refused(text("audit.what", given=given[:20]))
    lookup = by_letter(unit.areas, (match[1] or "").casefold())
    if lookup is None:
        raise Refused(text("audit.what", given=given[:20]))
    found = lookup.find(unit.session, int(match[2]))
    if found is None:
        raise Refused(text("audit.none_such", given=given[:20]))
    return found.story


def older(unit: Unit, clicked: Clicked) -> None:
    card = unit.card_of_message(clicked.message_id)
    if card is None:
        raise Refused(text("card.gone"))
    _may_read(unit, clicked.actor, card.params.get("subject"))
    before = clicked.action.extra.get("before")
    unit.refresh_card(card, params={**card.params, "before": int(before) if before else None})


CLICKS = (
    Click("audit.older", permissions.AUDIT, older, done=text("click.opened")),
    Click("status.refresh", READ, repair.refresh, done=text("click.opened")),
    Click("status.retry", MANAGE, repair.retry, repair.check_retry),
    Click("status.park", MANAGE, repair.park, repair.check_park),
    Click("status.unpark", MANAGE, repair.unpark, repair.check_unpark),
)

COMMANDS = (
    Command(
        ("审计", "audit"),
        permissions.AUDIT,
        AuditArguments,
        audit,
        text("help.audit"),
        text("help.usage.audit"),
    ),
    Command(("状态", "status"), READ, NoArguments, status, text("help.status"), text("help.usage.status")),
)
