"""The payment behind a refund: known to the area whose item the refund was asked for."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.area import Areas
from bot.contributions.routing import Clicked
from bot.errors import Refused
from bot.texts import text
from bot.unit import Unit
from handlers.shared.contributions.refund_subjects import Payment, RefundSubject
from handlers.shared.events import RefundMoved
from handlers.shared.intents import requests
from storage.areas.refunds import Refund, Refunds

COMPLAINT = "complaint"  # the rows have no place for anything else yet, so nothing else is asked for


def subject_of(refund: Refund) -> str:
    return f"{COMPLAINT}:{refund.complaint_id}"


def payment_of(areas: Areas, session: Session, complaint_id: int, *, lock: bool = False) -> Payment | None:
    """None where there is no such item, or nobody who knows that sort."""
    known = areas.named(RefundSubject, COMPLAINT)
    return known.find(session, complaint_id, lock) if known is not None else None


def clicked_payment(unit: Unit, clicked: Clicked) -> Payment:
    """The payment of the item on whose card something was pressed. Raises Refused unless this person handles it."""
    known = unit.areas.named(RefundSubject, COMPLAINT)
    if known is None:
        raise Refused(text("card.gone"))
    return known.handle(unit, clicked)


def moved(unit: Unit, refund: Refund) -> None:
    """Have every card that tells of it drawn again: an approver reads what was given back of that payment before."""
    unit.emit(RefundMoved(refund.id, subject_of(refund)))
    for other in unit.of(Refunds).asked_of_payment(refund.account_key, refund.transaction_id):
        if other.approval_id is not None:
            requests.refresh(unit, other.approval_id)
