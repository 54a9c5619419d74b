"""How a card is looked at. It is drawn from the database whenever it is sent, never from memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from bot.area import Areas
from bot.cards.values import Card
from bot.permissions import Actor
from storage.areas.people import People


@dataclass(frozen=True, slots=True)
class Look:
    """What a drawing function sees: the database at one moment, and where and how the card is looked at."""

    session: Session
    now: datetime
    subject: str
    params: Mapping[str, Any]
    receiver: str  # chat:<chat_id> or person:<open_id>
    areas: Areas

    def actor(self, open_id: str) -> Actor:
        return self.areas.roles.find(People(self.session), open_id)


Draw: TypeAlias = Callable[[Look], Card]
