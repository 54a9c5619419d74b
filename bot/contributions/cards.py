"""How cards are drawn. Read by rendering, and by whoever draws a card on which other areas have a section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.area import Areas
from bot.card_context import Draw, Look
from bot.cards.values import Block, Button, Tag
from bot.contributions.base import Contribution, Named
from bot.texts import Text


@dataclass(frozen=True, slots=True)
class CardKind(Named):
    """A kind of card and what draws it. `name` is stored with every posted card."""

    draw: Draw


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a section puts on a card. What it has nothing for stays empty."""

    blocks: tuple[Block, ...] = ()
    tags: tuple[Tag, ...] = ()
    buttons: tuple[Button, ...] = ()
    more: tuple[Button, ...] = ()  # buttons that are folded away
    form: tuple[Block, ...] = ()  # in place of all buttons, where the card is looked at for this section's form


@dataclass(frozen=True, slots=True)
class Section(Contribution):
    """What an area draws on the card of another one.

    `draw` sees the card's look; `hold` tells, by the item's id, why the item cannot be finished yet (None: it can).
    """

    card: str
    name: str
    draw: Callable[[Look], Drawn]
    hold: Callable[[Session, int], Text | None] = lambda session, item: None

    def identifiers(self) -> tuple[str, ...]:
        return (f"{self.card} {self.name}",)


def sections(areas: Areas, card: str) -> list[Section]:
    """What other areas draw on that kind of card."""
    return [section for section in areas.of(Section) if section.card == card]


def held(areas: Areas, card: str, session: Session, item: int) -> Text | None:
    """Why the item of that kind of card cannot be finished yet, as far as other areas know."""
    holds = (section.hold(session, item) for section in sections(areas, card))
    return next((hold for hold in holds if hold is not None), None)
