"""Which cards tell of a refund, and so are drawn again when it moves."""

from __future__ import annotations

from bot.unit import Unit
from handlers.approvals.service import CARD as APPROVAL
from handlers.complaints.showing import CARD as COMPLAINT
from storage.complaints import Complaint
from storage.refunds import Refunds


def redraw(unit: Unit, complaint: Complaint) -> None:
    """The complaint's card, and every request about the same payment: an approver reads there what was paid before."""
    unit.redraw(COMPLAINT, str(complaint.id))
    for refund in Refunds(unit.session).asked_of_payment(complaint.account_key, complaint.transaction_id):
        if refund.approval_id is not None:
            unit.redraw(APPROVAL, str(refund.approval_id))
