"""Asking for a refund, and what a decision does to it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from adapters.ports.refunds import RefundsPort
from bot.contributions.approvals import Outcome
from bot.contributions.permissions import Permission
from bot.contributions.routing import Clicked
from bot.errors import Refused
from bot.incoming.card_views import show_view
from bot.incoming.router import not_allowed
from bot.texts import Fen, Text, text
from bot.unit import Unit, to_person
from handlers.refunds.card_section import VIEW
from handlers.refunds.payments import clicked_payment, moved, payment_of, subject_of
from handlers.refunds.states import Event, advance
from handlers.shared.accounts.registry import Channels, queue_of
from handlers.shared.contributions.refund_subjects import Payment
from handlers.shared.intents import requests
from handlers.shared.phrases import object_to
from storage.areas.approvals import ApprovalRequest
from storage.areas.refunds import UNSETTLED, Refund, RefundProgress, Refunds

ACTION = "refund.create"
SEND = "refund.send"
REQUEST = Permission("refund.request")
# Commas only where they part thousands: 12,50 may mean 12.50 to somebody, so it is not read at all.
_AMOUNT = re.compile(r"[¥￥]?([0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.([0-9]{1,2}))?元?")
_WIDE = str.maketrans("０１２３４５６７８９．，\u3000", "0123456789., ")


def fen(typed: str) -> int:
    """An amount typed in yuan, in integer fen. Raises Refused; never rounds."""
    match = _AMOUNT.fullmatch(typed.translate(_WIDE).replace(" ", ""))
    if match is None:
        raise Refused(text("refund.amount_unreadable", given=typed[:20]))
    return int(match[1].replace(",", "")) * 100 + int((match[2] or "").ljust(2, "0"))


@dataclass(frozen=True, slots=True)
class RefundService:
    channels: Channels

    def check_form(self, unit: Unit, clicked: Clicked) -> Text:
        self._handled(unit, clicked)
        return text("click.opened")

    def open_form(self, unit: Unit, clicked: Clicked) -> None:
        payment = self._handled(unit, clicked)
        show_view(unit, clicked, payment.kind, str(payment.item_id), {"view": VIEW})

    def check_ask(self, unit: Unit, clicked: Clicked) -> Text:
        payment, amount, _ = self._asked(unit, clicked)
        spent = unit.of(Refunds).committed_fen(payment.account_key, payment.transaction_id)
        requests.check(unit, ACTION, payment.program_key, clicked.actor, amount + spent)
        return text("refund.asked", amount=Fen(amount))

    def ask(self, unit: Unit, clicked: Clicked) -> None:
        """Write the refund down with its idempotency key and ask for approval; no money moves yet."""
        payment, amount, reason = self._asked(unit, clicked)
        assert clicked.actor.id is not None  # whoever handles an item is known
        refund = unit.of(Refunds).add(
            Refund(
                complaint_id=payment.item_id,
                account_key=payment.account_key,
                merchant_id=payment.merchant_id,
                transaction_id=payment.transaction_id,
                amount_fen=amount,
                total_fen=payment.amount_fen,
                reason=reason,
                out_refund_no=f"mpops-{payment.item_id}-{secrets.token_hex(8)}",
                progress=RefundProgress.ASKED,
                requested_by=clicked.actor.id,
                requested_at=unit.now,
                attempts=0,
                can_retry=False,
                polls=0,
            )
        )
        unit.audit(
            "refund.asked", payment.subject, clicked.actor,
            number=refund.number, fen=amount, complaint=payment.number, reason=reason,
        )  # fmt: skip
        request = requests.ask(
            unit,
            action=ACTION,
            scope=payment.program_key,
            subject=f"refund:{refund.id}",
            story=payment.subject,
            chat_id=payment.chat_id,
            amount_fen=amount,
            # Two halves need as many approvers as the whole: what was refunded of the payment counts with it.
            weight_fen=unit.of(Refunds).committed_fen(payment.account_key, payment.transaction_id),
            by=clicked.actor,
        )
        refund.approval_id = request.id
        for older in unit.of(Refunds).of_complaint(refund.complaint_id):
            if older.id != refund.id:
                older.can_retry = False
        unit.session.flush()
        card = unit.card_of_message(clicked.message_id)
        if card is not None and card.kind == payment.kind:
            card.params = {}
        moved(unit, refund)

    def check_withdraw(self, unit: Unit, clicked: Clicked) -> Text:
        return text("refund.withdrawn", number=self._withdrawable(unit, clicked).number)

    def _withdrawable(self, unit: Unit, clicked: Clicked) -> Refund:
        refund = self._refund(unit, clicked)
        if refund.progress != RefundProgress.ASKED:
            raise Refused(text("refund.not_waiting", number=refund.number))
        if refund.requested_by != clicked.actor.id:
            raise Refused(text("approval.only_requester"))
        return refund

    def withdraw(self, unit: Unit, clicked: Clicked) -> None:
        refund = self._withdrawable(unit, clicked)
        if refund.approval_id is not None:
            requests.withdraw(unit, refund.approval_id, clicked.actor)

    def check_retry(self, unit: Unit, clicked: Clicked) -> Text:
        return text("refund.retried", number=self._retriable(unit, clicked).number)

    def _retriable(self, unit: Unit, clicked: Clicked) -> Refund:
        refund = self._refund(unit, clicked)
        payment = payment_of(unit.areas, unit.session, refund.complaint_id, lock=True)  # the same lock as asking takes
        self._may_ask(clicked, payment.program_key if payment is not None else None)
        if refund.progress != RefundProgress.FAILED or not refund.can_retry or payment is None:
            raise Refused(text("refund.no_retry", number=refund.number))
        refunds = unit.of(Refunds)
        newest = refunds.of_complaint(refund.complaint_id)[-1]
        rest = payment.amount_fen - refunds.committed_fen(payment.account_key, payment.transaction_id)
        if newest.id != refund.id or not payment.is_open or refund.amount_fen > rest:
            raise Refused(text("refund.no_retry", number=refund.number))
        if clicked.action.version != refund.row_version:
            raise Refused(text("card.stale"))
        return refund

    def retry(self, unit: Unit, clicked: Clicked) -> None:
        """Send an approved refund again that the channel refused for a reason that may have passed; same number."""
        refund = self._retriable(unit, clicked)
        refund.progress = advance(RefundProgress(refund.progress), Event.TRIED_AGAIN) or refund.progress
        refund.error, refund.can_retry = None, False
        unit.audit("refund.retried", subject_of(refund), clicked.actor, number=refund.number)
        self._send(unit, refund)

    def decided(self, unit: Unit, request: ApprovalRequest, outcome: Outcome) -> None:
        """The approval ended: send the money, or drop the request."""
        refund = unit.of(Refunds).get(int(request.subject.partition(":")[2]), lock=True)
        if refund is None:
            return
        if outcome is Outcome.APPROVED and not self._still_due(unit, refund):
            outcome = Outcome.EXPIRED
        event = Event.APPROVED if outcome is Outcome.APPROVED else Event.DROPPED
        target = advance(RefundProgress(refund.progress), event)
        if target is None:
            return
        refund.progress = target
        if outcome is Outcome.APPROVED:
            self._send(unit, refund)
        else:
            moved(unit, refund)
        requester = unit.people.by_id(refund.requested_by)
        if requester is not None and requester.is_active and outcome is not Outcome.WITHDRAWN:
            unit.send_text(
                to_person(requester.open_id),
                text(
                    f"refund.told.{outcome}",
                    number=refund.number,
                    amount=Fen(refund.amount_fen),
                    reason=request.reason or "",
                ),
            )

    # ---------------------------------------------------------------------------------------------------------------

    def _still_due(self, unit: Unit, refund: Refund) -> bool:
        """Whether an approved refund may be sent: nothing that it rests on has gone away meanwhile."""
        payment = payment_of(unit.areas, unit.session, refund.complaint_id)
        requester = unit.people.by_id(refund.requested_by)
        if payment is None or requester is None or not requester.is_active:
            return False
        unit.serialize(f"transaction:{refund.account_key}:{refund.transaction_id}")
        committed = unit.of(Refunds).committed_fen(refund.account_key, refund.transaction_id)
        return committed <= refund.total_fen

    def _handled(self, unit: Unit, clicked: Clicked) -> Payment:
        payment = clicked_payment(unit, clicked)
        self._may_ask(clicked, payment.program_key)
        return payment

    def _may_ask(self, clicked: Clicked, scope: str | None) -> None:
        if not clicked.actor.may(REQUEST, scope):
            raise Refused(not_allowed(REQUEST, clicked.actor))

    def _asked(self, unit: Unit, clicked: Clicked) -> tuple[Payment, int, str]:
        payment = self._handled(unit, clicked)
        amount = fen(clicked.form.get("amount", ""))
        reason = clicked.form.get("reason", "").strip()
        refunds = unit.of(Refunds)
        if any(refund.progress in UNSETTLED for refund in refunds.of_complaint(payment.item_id)):
            raise Refused(text("refund.in_hand"))
        rest = payment.amount_fen - refunds.committed_fen(payment.account_key, payment.transaction_id)
        if amount <= 0:
            raise Refused(text("refund.amount_zero"))
        if amount > rest:
            raise Refused(text("refund.amount_too_much", most=Fen(max(0, rest))))
        if not payment.transaction_id:
            raise Refused(text("refund.no_order"))
        channel = self.channels.find(payment.account_key)
        port = channel.get(RefundsPort) if channel is not None else None
        if port is None:
            raise Refused(text("channel.unavailable"))
        object_to(port.check_reason(reason))
        return payment, amount, reason

    def _refund(self, unit: Unit, clicked: Clicked) -> Refund:
        refund = unit.of(Refunds).get(int(clicked.action.subject), lock=True)
        if refund is None:
            raise Refused(text("card.gone"))
        return refund

    def _send(self, unit: Unit, refund: Refund) -> None:
        refund.attempts += 1
        unit.session.flush()
        queue = queue_of(unit.session, refund.account_key)
        unit.enqueue(SEND, f"refund-{refund.id}-{refund.attempts}", {"id": refund.id}, queue=queue)
        moved(unit, refund)
