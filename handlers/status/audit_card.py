"""The audit as a card, and its entries as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.card_context import Look
from bot.cards.values import Action, Block, Button, Buttons, Card, Line, Tone
from bot.texts import Fen, Instant, Param, Text, text
from storage.areas.people import People
from storage.core.audit import AuditEntry, entries

AUDIT = "audit"
PAGE = 12


def draw_audit(look: Look) -> Card:
    subject = look.params.get("subject")
    before = look.params.get("before")
    found = entries(look.session, subject, PAGE + 1, before)
    people = People(look.session)
    blocks: list[Block] = [Line(sentence(entry, people)) for entry in reversed(found[:PAGE])]
    if not found:
        blocks = [Line(text("audit.empty"))]
    buttons = []
    if len(found) > PAGE:
        extra = {"before": str(found[PAGE - 1].id)}
        buttons.append(Button(text("audit.older"), Action("audit.older", extra=extra)))
    if before is not None:
        buttons.append(Button(text("audit.newest"), Action("audit.older")))
    if buttons:
        blocks.append(Buttons(tuple(buttons)))
    name = str(look.params.get("name") or "")
    title = text("audit.title_of", name=name) if name else text("audit.title")
    return Card(title, tuple(blocks), Tone.NEUTRAL)


def sentence(entry: AuditEntry, people: People) -> Text:
    return text("audit.line", at=Instant(entry.at), what=happened(entry, people))


def who(entry: AuditEntry, people: People) -> Text:
    actor = people.by_id(entry.actor_id) if entry.actor_id is not None else None
    return text("words", words=actor.name) if actor is not None else text("audit.mpops")


def happened(entry: AuditEntry, people: People) -> Text:
    """The sentence without its time."""
    params = {name: _param(name, value, people) for name, value in entry.params.items()}
    params |= {"at": Instant(entry.at), "who_did": who(entry, people)}
    return text(f"audit.{entry.event}", **params)


def _param(name: str, value: Any, people: People) -> Param:
    if isinstance(value, Mapping):
        person = people.by_id(int(value["person"]))
        return person.name if person is not None else "?"
    if name == "fen":
        return Fen(int(value))
    return value if isinstance(value, int) else str(value)
