"""Asking for a refund, and what a decision does to it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from adapters.ports import Refunds as RefundsPort
from bot.engine import channel_queue
from bot.permissions import Permission
from bot.refusals import Refused
from bot.router import Clicked, not_allowed
from bot.texts import Fen, Text, text
from bot.unit import Unit, to_person
from handlers.approvals.service import Approving, Outcome
from handlers.channels.registry import Channels
from handlers.complaints.service import Service as ComplaintService
from handlers.complaints.showing import CARD
from handlers.complaints.words import object_to
from handlers.refunds.redraw import redraw
from handlers.refunds.states import Event, advance
from storage.approvals import ApprovalRequest
from storage.complaints import Complaint, Complaints
from storage.refunds import UNSETTLED, Refund, RefundProgress, Refunds
from storage.setup import Account

ACTION = "refund.create"
SEND = "refund.send"
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
    complaints: ComplaintService
    approving: Approving

    def check_ask(self, unit: Unit, clicked: Clicked) -> Text:
        complaint, amount, _ = self._asked(unit, clicked)
        spent = Refunds(unit.session).committed_fen(complaint.account_key, complaint.transaction_id)
        self.approving.check(unit, ACTION, complaint.program_key, clicked.actor, amount + spent)
        return text("refund.asked", amount=Fen(amount))

    def ask(self, unit: Unit, clicked: Clicked) -> None:
        """Write the refund down with its idempotency key and ask for approval; no money moves yet."""
        complaint, amount, reason = self._asked(unit, clicked)
        assert clicked.actor.id is not None  # checked by the complaint's own rules
        refund = Refunds(unit.session).add(
            Refund(
                complaint_id=complaint.id,
                account_key=complaint.account_key,
                merchant_id=complaint.merchant_id,
                transaction_id=complaint.transaction_id,
                amount_fen=amount,
                total_fen=complaint.amount_fen,
                reason=reason,
                out_refund_no=f"mpops-{complaint.id}-{secrets.token_hex(8)}",
                progress=RefundProgress.ASKED,
                requested_by=clicked.actor.id,
                requested_at=unit.now,
                attempts=0,
                can_retry=False,
                polls=0,
            )
        )
        unit.audit(
            "refund.asked", f"complaint:{complaint.id}", clicked.actor,
            number=refund.number, fen=amount, complaint=complaint.number, reason=reason,
        )  # fmt: skip
        request = self.approving.request(
            unit,
            action=ACTION,
            scope=complaint.program_key,
            subject=f"refund:{refund.id}",
            story=f"complaint:{complaint.id}",
            chat_id=complaint.chat_id,
            amount_fen=amount,
            # Two halves need as many approvers as the whole: what was refunded of the payment counts with it.
            weight_fen=Refunds(unit.session).committed_fen(complaint.account_key, complaint.transaction_id),
            by=clicked.actor,
        )
        refund.approval_id = request.id
        for older in Refunds(unit.session).of_complaint(complaint.id):
            if older.id != refund.id:
                older.can_retry = False
        unit.session.flush()
        card = unit.card_of_message(clicked.message_id)
        if card is not None and card.kind == CARD:
            card.params = {}
        self._touch(unit, complaint)

    def check_withdraw(self, unit: Unit, clicked: Clicked) -> Text:
        refund = self._refund(unit, clicked)
        if refund.progress != RefundProgress.ASKED:
            raise Refused(text("refund.not_waiting", number=refund.number))
        if refund.requested_by != clicked.actor.id:
            raise Refused(text("approval.only_requester"))
        return text("refund.withdrawn", number=refund.number)

    def withdraw(self, unit: Unit, clicked: Clicked) -> None:
        self.check_withdraw(unit, clicked)
        refund = self._refund(unit, clicked)
        if refund.approval_id is not None:
            self.approving.withdraw(unit, refund.approval_id, clicked.actor)

    def check_retry(self, unit: Unit, clicked: Clicked) -> Text:
        refund = self._refund(unit, clicked)
        complaint = Complaints(unit.session).get(refund.complaint_id, lock=True)  # the same lock as asking takes
        scope = complaint.program_key if complaint is not None else None
        if not clicked.actor.may(Permission.REFUND_REQUEST, scope):
            raise Refused(not_allowed(Permission.REFUND_REQUEST, clicked.actor))
        if refund.progress != RefundProgress.FAILED or not refund.can_retry or complaint is None:
            raise Refused(text("refund.no_retry", number=refund.number))
        refunds = Refunds(unit.session)
        newest = refunds.of_complaint(complaint.id)[-1]
        rest = complaint.amount_fen - refunds.committed_fen(complaint.account_key, complaint.transaction_id)
        if newest.id != refund.id or not complaint.is_open or refund.amount_fen > rest:
            raise Refused(text("refund.no_retry", number=refund.number))
        if clicked.action.version != refund.row_version:
            raise Refused(text("card.stale"))
        return text("refund.retried", number=refund.number)

    def retry(self, unit: Unit, clicked: Clicked) -> None:
        """Send an approved refund again that the channel refused for a reason that may have passed; same number."""
        self.check_retry(unit, clicked)
        refund = self._refund(unit, clicked)
        refund.progress = advance(RefundProgress(refund.progress), Event.TRIED_AGAIN) or refund.progress
        refund.error, refund.can_retry = None, False
        unit.audit("refund.retried", f"complaint:{refund.complaint_id}", clicked.actor, number=refund.number)
        self._send(unit, refund)

    def decided(self, unit: Unit, request: ApprovalRequest, outcome: Outcome) -> None:
        """The approval ended: send the money, or drop the request."""
        refund = Refunds(unit.session).get(int(request.subject.partition(":")[2]), lock=True)
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
            self._touch(unit, Complaints(unit.session).get(refund.complaint_id))
        requester = unit.people.by_id(refund.requested_by)
        if requester is not None and requester.is_active and outcome is not Outcome.WITHDRAWN:
            unit.say(
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
        complaint = Complaints(unit.session).get(refund.complaint_id)
        requester = unit.people.by_id(refund.requested_by)
        if complaint is None or requester is None or not requester.is_active:
            return False
        unit.serialize(f"transaction:{refund.account_key}:{refund.transaction_id}")
        committed = Refunds(unit.session).committed_fen(refund.account_key, refund.transaction_id)
        return committed <= refund.total_fen

    def _asked(self, unit: Unit, clicked: Clicked) -> tuple[Complaint, int, str]:
        self.complaints.check_refund(unit, clicked)
        complaint = Complaints(unit.session).get(int(clicked.action.subject))
        if complaint is None:
            raise Refused(text("card.gone"))
        amount = fen(clicked.form.get("amount", ""))
        reason = clicked.form.get("reason", "").strip()
        refunds = Refunds(unit.session)
        if any(refund.progress in UNSETTLED for refund in refunds.of_complaint(complaint.id)):
            raise Refused(text("refund.in_hand"))
        rest = complaint.amount_fen - refunds.committed_fen(complaint.account_key, complaint.transaction_id)
        if amount <= 0:
            raise Refused(text("refund.amount_zero"))
        if amount > rest:
            raise Refused(text("refund.amount_too_much", most=Fen(max(0, rest))))
        if not complaint.transaction_id:
            raise Refused(text("refund.no_order"))
        channel = self.channels.find(complaint.account_key)
        port = channel.get(RefundsPort) if channel is not None else None
        if port is None:
            raise Refused(text("channel.unavailable"))
        object_to(port.check_reason(reason))
        return complaint, amount, reason

    def _refund(self, unit: Unit, clicked: Clicked) -> Refund:
        refund = Refunds(unit.session).get(int(clicked.action.subject), lock=True)
        if refund is None:
            raise Refused(text("card.gone"))
        return refund

    def _send(self, unit: Unit, refund: Refund) -> None:
        refund.attempts += 1
        unit.session.flush()
        account = unit.session.get(Account, refund.account_key)
        queue = channel_queue(account.channel if account is not None else "wechatpay")
        unit.enqueue(SEND, f"refund-{refund.id}-{refund.attempts}", {"id": refund.id}, queue=queue)
        self._touch(unit, Complaints(unit.session).get(refund.complaint_id))

    def _touch(self, unit: Unit, complaint: Complaint | None) -> None:
        if complaint is not None:
            redraw(unit, complaint)
