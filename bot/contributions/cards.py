"""How cards are drawn. Read by rendering, and by whoever draws a card on which other areas have a section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.cards.values import Block, Button, Tag
from bot.contributions.base import Contribution
from bot.drawing import Draw, Look
from bot.texts import Text


@dataclass(frozen=True, slots=True)
class CardKind(Contribution):
    """A kind of card and what draws it. `name` is stored with every posted card."""

    name: str
    draw: Draw

    def identifiers(self) -> tuple[str, ...]:
        return (self.name,)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a section puts on a card. What it has nothing for stays empty."""

    blocks: tuple[Block, ...] = ()
    tags: tuple[Tag, ...] = ()
    buttons: tuple[Button, ...] = ()
    more: tuple[Button, ...] = ()  # buttons that are folded away
    form: tuple[Block, ...] = ()  # in place of all buttons, where the card is looked at for this section's form
    hold: Text | None = None  # why the item cannot be finished yet


@dataclass(frozen=True, slots=True)
class Section(Contribution):
    """What an area draws on the card of another one.

    `draw` sees the card's look; `hold` tells, by the item's id, why the item cannot be finished yet (None: it can).
    The same sentence stands in `Drawn.hold`.
    """

    card: str
    name: str
    draw: Callable[[Look], Drawn]
    hold: Callable[[Session, int], Text | None] = lambda session, item: None

    def identifiers(self) -> tuple[str, ...]:
        return (f"{self.card} {self.name}",)
