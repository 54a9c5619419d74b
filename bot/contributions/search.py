"""How items are found by what people call them. Read by the audit, by `/状态`, and by whoever names an item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.contributions.base import Contribution


@dataclass(frozen=True, slots=True)
class Located:
    """An item that was found. `story`: the subject whose audit tells of it; `scope`: the program it belongs to."""

    number: str
    story: str
    scope: str


@dataclass(frozen=True, slots=True)
class Lookup(Contribution):
    """One sort of item: `kind` as in `complaint:7`, and the letter of its numbers as in C7. `find`: None, no such."""

    kind: str
    letter: str
    find: Callable[[Session, int], Located | None]

    def identifiers(self) -> tuple[str, ...]:
        return (self.kind, f"letter {self.letter}")
