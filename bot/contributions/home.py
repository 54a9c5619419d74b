"""What stands on the cards that help draws: the home card, and what waits for one person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.card_context import Look
from bot.cards.values import Block, Button, Item
from bot.contributions.base import Named
from bot.permissions import Actor


@dataclass(frozen=True, slots=True)
class HomeBlock(Named):
    """How things stand, on the home card, for one reader; `button` leads there."""

    draw: Callable[[Look, Actor], Sequence[Block]]
    button: Button | None = None


@dataclass(frozen=True, slots=True)
class TodoBlock(Named):
    """What waits for one person, the most urgent first."""

    items: Callable[[Look, Actor], Sequence[Item]]
