"""How items are found by what people call them. Read by the audit, by `/状态`, and by whoever names an item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.area import Areas
from bot.contributions.base import Contribution


@dataclass(frozen=True, slots=True)
class Located:
    """An item that was found. `story`: the subject whose audit tells of it.

    `scope`: the program it belongs to; None where only the item of its story knows that.
    """

    number: str
    story: str
    scope: str | None


@dataclass(frozen=True, slots=True)
class Lookup(Contribution):
    """One sort of item: `kind` as in `complaint:7`, and the letter of its numbers as in C7. `find`: None, no such.

    `plain`: a number without any letter is one of these.
    """

    kind: str
    letter: str
    find: Callable[[Session, int], Located | None]
    plain: bool = False

    def identifiers(self) -> tuple[str, ...]:
        return (self.kind, f"letter {self.letter}", *(["no letter"] if self.plain else []))


def by_letter(areas: Areas, letter: str) -> Lookup | None:
    """The sort of items whose numbers begin with that letter; without one, the sort that needs none."""
    return areas.named(Lookup, f"letter {letter}" if letter else "no letter")


def by_subject(areas: Areas, session: Session, subject: str) -> Located | None:
    """The item behind a subject such as `complaint:7`."""
    kind, _, id = subject.partition(":")
    lookup = areas.named(Lookup, kind)
    return lookup.find(session, int(id)) if lookup is not None and id.isdigit() else None
