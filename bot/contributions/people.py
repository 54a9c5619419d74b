"""What becomes of a person's items when their rights end. Read by whoever keeps people and roles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.contributions.base import Named
from bot.unit import Unit
from storage.areas.people import Person


@dataclass(frozen=True, slots=True)
class OnPersonLeft(Named):
    """Somebody left the company; their roles are gone already. Gives how many items were handed back to everybody."""

    run: Callable[[Unit, Person], int]


@dataclass(frozen=True, slots=True)
class OnRightsLost(Named):
    """A role was taken away in chat. Gives how many items were handed back that the person may no longer handle."""

    run: Callable[[Unit, Person], int]
