"""Small pieces of text that cards and messages of several areas share."""

from __future__ import annotations

from adapters.values import Objection
from bot.errors import Refused
from bot.texts import Mention, Text, text
from bot.texts.clean import cut, one_line
from storage.areas.people import Person


def excerpt(words: str, longest: int = 40) -> str:
    """The beginning of somebody's words, for a line of a list."""
    return cut(one_line(words), longest)[0]


def named(person: Person | None) -> Text:
    return text("person.mention", who=Mention(person.open_id, person.name)) if person else text("person.nobody")


def ping(person: Person) -> Mention:
    return Mention(person.open_id, person.name, ping=True)


def masked_phone(phone: str) -> str:
    """138****1234; what is too short to be a phone number is hidden whole."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 9 else "****" if phone else ""


def object_to(objection: Objection | None) -> None:
    """Raises Refused with the channel's objection to a text, in our words."""
    if objection is None:
        return
    params = {name: value if isinstance(value, int) else str(value) for name, value in objection.params.items()}
    raise Refused(text(f"objection.{objection.code}", **params))
