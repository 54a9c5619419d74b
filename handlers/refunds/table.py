"""Clicks of refunds, and how a refund is shown on the card of its approval."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot.cards.values import Block, Facts, Line, Quote, Words
from bot.permissions import Permission
from bot.router import Clickable
from bot.texts import Fen, Text, text
from handlers.complaints.words import masked_phone
from handlers.refunds.service import RefundService
from handlers.refunds.words import refund_line
from storage.approvals import ApprovalRequest
from storage.complaints import Complaints
from storage.people import People
from storage.refunds import RefundProgress, Refunds


def clickables(service: RefundService) -> tuple[Clickable, ...]:
    asking = Permission.REFUND_REQUEST
    return (
        Clickable("refund.ask", asking, service.ask, service.check_ask),
        Clickable("refund.withdraw", None, service.withdraw, service.check_withdraw),
        Clickable("refund.retry", asking, service.retry, service.check_retry),
    )


def show(session: Session, request: ApprovalRequest) -> tuple[Text, Sequence[Block]]:
    """What an approver must know: title and blocks."""
    refund = Refunds(session).get(int(request.subject.partition(":")[2]))
    complaint = Complaints(session).get(refund.complaint_id) if refund is not None else None
    if refund is None or complaint is None:
        return text("card.gone.title"), (Line(text("card.gone")),)
    pairs: list[tuple[Text, Words]] = [
        (text("refund.amount"), text("money", amount=Fen(refund.amount_fen))),
        (text("refund.of"), text("money", amount=Fen(refund.total_fen))),
        (text("complaint.order"), complaint.out_trade_no),
        (text("complaint.customer"), masked_phone(complaint.phone) or text("complaint.no_phone")),
        (text("refund.complaint"), complaint.number),
        (text("refund.reason"), refund.reason),
    ]
    blocks: list[Block] = [Facts(tuple(pairs)), Quote(complaint.words, 200, author=text("author.customer"))]
    if refund.progress not in (RefundProgress.ASKED, RefundProgress.DROPPED):
        blocks.append(Line(refund_line(refund, People(session))))
    return text("refund.approval_title", amount=Fen(refund.amount_fen), number=refund.number), blocks
