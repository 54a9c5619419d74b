"""The card that tells somebody what they may do."""

from __future__ import annotations

from functools import reduce

from bot.card_context import Look
from bot.cards.values import Card, Facts, Line, Note, Tone, Words
from bot.texts import Text, text
from storage.areas.people import EVERYWHERE

ME = "me"


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
