"""What stands in the digests of a group. Read by the digests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.card_context import Look
from bot.cards.values import Block, Button, Toned, Words
from bot.contributions.base import Named
from bot.texts import Text


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a digest with its label. `place`: where it stands among all of them, smaller first."""

    label: Text
    words: Words | Toned
    place: int = 0


@dataclass(frozen=True, slots=True)
class Digested:
    """What an area has to say of a day. What it has nothing for stays empty."""

    now: tuple[Figure, ...] = ()  # as things stand when the card is drawn
    blocks: tuple[Block, ...] = ()  # below that: what somebody has to look at
    day: tuple[Figure, ...] = ()  # of the day
    week: tuple[Block, ...] = ()  # below that
    buttons: tuple[Button, ...] = ()
    summary: Text | None = None  # for the list of chats
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class DigestBlock(Named):
    """`draw` is given the look, the chat, and the day's beginning in the chat's zone."""

    draw: Callable[[Look, str, datetime], Digested]
