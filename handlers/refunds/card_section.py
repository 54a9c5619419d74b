"""Refunds on the card of the item that they are asked for: what became of them, and what can be done now."""

from __future__ import annotations

from functools import partial

from sqlalchemy.orm import Session

from bot.card_context import Look
from bot.cards.values import Action, Block, Button, ButtonStyle, Confirm, Form, Input, Note, Tag, Tone
from bot.contributions.cards import Drawn
from bot.texts import Fen, Text, text
from handlers.refunds.payments import payment_of
from handlers.refunds.phrases import all_told
from handlers.shared.contributions.refund_subjects import Payment
from storage.areas.people import People
from storage.areas.refunds import UNSETTLED, Refund, RefundProgress, Refunds

VIEW = "refund"
_TROUBLED = (RefundProgress.FAILED, RefundProgress.ABNORMAL)


def draw(look: Look) -> Drawn:
    refunds = Refunds(look.session).of_complaint(int(look.subject))
    payment = payment_of(look.areas, look.session, int(look.subject))
    if payment is None:
        return Drawn()
    pending = _pending(refunds)
    buttons, more = _buttons(payment, refunds, pending)
    troubled = bool(refunds) and refunds[-1].progress in _TROUBLED
    return Drawn(
        blocks=tuple(all_told(refunds, People(look.session))),
        tags=(Tag(text("refund.tag.failed"), Tone.URGENT),) if troubled else (),
        buttons=tuple(buttons),
        more=tuple(more),
        form=tuple(_form(look.session, payment)) if look.params.get("view") == VIEW else (),
    )


def hold(session: Session, item_id: int) -> Text | None:
    """An item is not finished while money for it is asked for or on its way."""
    pending = _pending(Refunds(session).of_complaint(item_id))
    return text("complaint.finish_needs_refund", number=pending.number) if pending is not None else None


def _pending(refunds: list[Refund]) -> Refund | None:
    return next((refund for refund in refunds if refund.progress in UNSETTLED), None)


def _buttons(payment: Payment, refunds: list[Refund], pending: Refund | None) -> tuple[list[Button], list[Button]]:
    """What can be done now, and what is rarely wanted."""
    if pending is not None and pending.progress == RefundProgress.ASKED:
        sure = Confirm(text("refund.withdraw"), text("refund.withdraw_sure", number=pending.number))
        act = Action("refund.withdraw", str(pending.id), pending.row_version)
        return [Button(text("refund.withdraw"), act, confirm=sure)], []
    if pending is not None or payment.amount_fen <= 0 or payment.fully_refunded:
        return [], []
    ask = Button(text("complaint.ask_refund"), Action("complaint.open_refund", str(payment.item_id), payment.version))
    last = refunds[-1] if refunds else None
    if last is not None and last.progress == RefundProgress.FAILED and last.error and last.can_retry:
        # The approved one again is what is wanted; a new one stays possible.
        retry = Action("refund.retry", str(last.id), last.row_version)
        return [Button(text("refund.retry"), retry)], [ask]
    return [ask], []


def _form(session: Session, payment: Payment) -> list[Block]:
    spent = Refunds(session).committed_fen(payment.account_key, payment.transaction_id)
    rest = max(0, payment.amount_fen - spent)
    wanted = min(rest, payment.wanted_fen or rest)
    fields = (
        Input("amount", text("refund.amount_yuan", most=Fen(rest)), value=f"{wanted / 100:.2f}", longest=12),
        Input("reason", text("refund.reason"), text("refund.reason_hint"), lines=2, longest=80),
    )
    act = partial(Action, subject=str(payment.item_id), version=payment.version)
    submit = Button(text("refund.ask"), act("refund.ask"), ButtonStyle.PRIMARY)
    back = Button(text("card.back"), act(f"{payment.kind}.back"))
    return [Form("refund_form", fields, submit, (back,)), Note(text("refund.needs_approval"))]
