"""How a refund is shown on the card of its approval."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.card_context import Look
from bot.cards.values import Block, Facts, Fold, Line, Note, Quote, Tag, Tone, Toned, Warning, Words
from bot.contributions.approvals import Shown
from bot.texts import Fen, Instant, Text, text
from handlers.refunds.payments import payment_of
from handlers.refunds.phrases import refund_line, told
from handlers.shared.contributions.refund_subjects import Payment
from storage.areas.approvals import ApprovalRequest
from storage.areas.people import People
from storage.areas.refunds import Refund, RefundProgress, Refunds

_OUTCOMES = {
    RefundProgress.PAID: Tag(text("refund.tag.paid"), Tone.GOOD),
    RefundProgress.FAILED: Tag(text("refund.tag.failed"), Tone.URGENT),
    RefundProgress.ABNORMAL: Tag(text("refund.tag.failed"), Tone.URGENT),
}


def show(look: Look, request: ApprovalRequest) -> Shown:
    """What an approver must know: how much of what, why, for whom, and what was refunded before."""
    session = look.session
    refund = Refunds(session).get(int(request.subject.partition(":")[2]))
    payment = payment_of(look.areas, session, refund.complaint_id) if refund is not None else None
    if refund is None or payment is None:
        return Shown(text("card.gone.title"), (Line(text("card.gone")),))
    people = People(session)
    blocks: list[Block] = [*_warnings(refund, payment), *_money(refund)]
    blocks.append(Facts(((text("refund.reason"), refund.reason),)))
    author = text("complaint.said", who=text("author.customer"), at=Instant(payment.said_at))
    blocks.append(Quote(payment.words, 200, author=author))
    pairs: list[tuple[Text, Words | Toned]] = [
        (text("refund.complaint"), payment.number),
        (text("complaint.customer"), payment.phone or text("complaint.no_phone")),
    ]
    if payment.wanted_fen is not None:
        pairs.append((text("complaint.wants_back"), text("money", amount=Fen(payment.wanted_fen))))
    waiting = refund.progress == RefundProgress.ASKED
    if waiting:
        pairs.append((text("refund.before"), _before(session, refund)))
    pairs.append((text("complaint.order"), payment.out_trade_no))
    blocks.append(Facts(tuple(pairs)))
    others = [other for other in Refunds(session).of_complaint(refund.complaint_id) if other.id < refund.id]
    if waiting and others:
        lines = tuple(Note(refund_line(other, people)) for other in others[-5:])
        blocks.append(Fold(text("refund.others", count=len(others)), lines))
    if refund.progress not in (RefundProgress.ASKED, RefundProgress.DROPPED):
        blocks += told(refund, people)
    title = text("refund.approval_title", amount=Fen(refund.amount_fen), number=refund.number)
    return Shown(title, blocks, _OUTCOMES.get(RefundProgress(refund.progress)))


def _money(refund: Refund) -> list[Block]:
    whole = refund.amount_fen >= refund.total_fen
    of = text("refund.whole" if whole else "money", amount=Fen(refund.total_fen))
    amount = text("money", amount=Fen(refund.amount_fen))
    return [Facts(((text("refund.amount"), amount), (text("refund.of"), of)), large=True)]


def _warnings(refund: Refund, payment: Payment) -> list[Block]:
    asked = payment.wanted_fen
    if refund.progress != RefundProgress.ASKED or asked is None or refund.amount_fen <= asked:
        return []
    return [Warning(text("refund.more_than_asked", asked=Fen(asked)))]


def _before(session: Session, refund: Refund) -> Text:
    """What else of this payment is refunded or on its way."""
    spent = Refunds(session).committed_fen(refund.account_key, refund.transaction_id) - refund.amount_fen
    return text("money", amount=Fen(spent)) if spent > 0 else text("refund.nothing_before")
