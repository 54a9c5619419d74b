"""How a refund is found by its number. Its story is that of the item it was asked for."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.contributions.search import Located, Lookup
from handlers.refunds.payments import subject_of
from storage.areas.refunds import Refunds


def _find(session: Session, id: int) -> Located | None:
    refund = Refunds(session).get(id)
    return Located(refund.number, subject_of(refund), None) if refund is not None else None


LOOKUP = Lookup("refund", "r", _find)
