"""Which function draws which kind of card. A card is drawn from the database whenever it is sent, never from memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from bot.cards.values import Card


@dataclass(frozen=True, slots=True)
class Look:
    """What a drawing function sees: the database at one moment, and where and how the card is looked at."""

    session: Session
    now: datetime
    subject: str
    params: Mapping[str, Any]
    receiver: str  # chat:<chat_id> or person:<open_id>


Draw: TypeAlias = Callable[[Look], Card]


class Drawings:
    def __init__(self, drawings: Mapping[str, Draw]) -> None:
        self._drawings = dict(drawings)

    def draw(self, kind: str, look: Look) -> Card:
        return self._drawings[kind](look)

    def knows(self, kind: str) -> bool:
        return kind in self._drawings
