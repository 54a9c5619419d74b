"""What becomes of a person's items when their rights end. Read by whoever keeps people and roles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.contributions.base import Contribution
from bot.unit import Unit
from storage.people import Person


@dataclass(frozen=True, slots=True)
class OnPersonLeft(Contribution):
    """Somebody left the company; their roles are gone already. Gives how many items were handed back to everybody."""

    name: str
    run: Callable[[Unit, Person], int]

    def identifiers(self) -> tuple[str, ...]:
        return (self.name,)


@dataclass(frozen=True, slots=True)
class OnRightsLost(Contribution):
    """A role was taken away in chat. Gives how many items were handed back that the person may no longer handle."""

    name: str
    run: Callable[[Unit, Person], int]

    def identifiers(self) -> tuple[str, ...]:
        return (self.name,)
