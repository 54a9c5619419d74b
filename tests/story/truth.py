"""The proof at the end of every story: cards, the bot's database and the sandbox's books tell the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.card_context import Look
from bot.cards.actions import ActionSigner
from bot.cards.render import render
from bot.clock import OffsetClock
from bot.contributions.cards import CardKind
from bot.jobs.names import jobs_table
from bot.texts import catalogue
from sandbox.demo import Demo
from sandbox.wechatpay.complaints import State
from sandbox.wechatpay.refunds import RefundStatus
from storage.areas.complaints import Complaint, ComplaintReply, Complaints, Progress, ReplyState
from storage.areas.refunds import Refund, RefundProgress
from storage.core.audit import Audit
from storage.core.inbox import Inbox, InboxItem, InboxState
from storage.core.outbox import Outbox, OutboxMessage, OutboxState, PostedCard
from storage.database import Database
from tests.house import all_areas

ZONE = "Asia/Shanghai"
_ITEMS = ("complaint", "approval")  # kinds of cards that follow their item


class Truth:
    """Looks into the bot's database from outside; changes nothing."""

    def __init__(self, demo: Demo) -> None:
        environment = demo.environment()
        self._demo = demo
        self._database = Database(environment["MPOPS_DATABASE_URL"], pool_size=2)
        self._database.unlock([environment["MPOPS_SECRET_KEY"]])
        self._clock = OffsetClock(demo.folder / "clock-offset")
        self._signer = ActionSigner(self._database.vault.subkey("clicks"))
        self._words = catalogue()

    def close(self) -> None:
        self._database.close()

    def waiting(self) -> int:
        """How much the bot has not worked off."""
        with self._database.read() as session:
            return Inbox(session).waiting()[0] + Outbox(session).waiting()[0]

    def left(self) -> str:
        """What that is, for whoever reads that a test failed."""
        with self._database.read() as session:
            events = session.scalars(select(InboxItem).where(InboxItem.state == InboxState.NEW).limit(3))
            messages = session.scalars(select(OutboxMessage).where(OutboxMessage.state == OutboxState.WAITING).limit(3))
            told = [f"{one.kind} {one.id} since {one.received_at}: {one.body[:200]}" for one in events]
            told += [f"message {one.id}, attempt {one.attempts}, due {one.due_at}: {one.error}" for one in messages]
        return "; ".join(told)

    def settled_on_arrival(self, message_id: str) -> bool:
        """Whether that message was stored as one that nobody handles: without a job and without its words."""
        id = f"feishu:message:{message_id}"
        jobs = text(f"SELECT count(*) FROM {jobs_table(self._database.is_sqlite)} WHERE workflow_uuid = :id")
        with self._database.read() as session:
            found = session.get_one(InboxItem, id)
            told = (found.state, found.done_at is not None, found.body, session.scalar(jobs, {"id": id}))
        return told == (InboxState.IGNORED, True, "", 0)

    def audit_is_whole(self) -> bool:
        with self._database.read() as session:
            return Audit(session, self._database.vault.subkey("audit")).verify().broken_at is None

    def lies(self) -> list[str]:
        """Everything that does not agree."""
        with self._demo.sandbox.world.lock, self._database.read() as session:
            return [*self._cards(session), *self._complaints(session), *self._refunds(session)]

    # --- cards -----------------------------------------------------------------------------------------------------

    def knows(self, external_id: str) -> bool:
        """Whether the bot has stored that complaint."""
        with self._database.read() as session:
            return session.scalar(select(Complaint.id).where(Complaint.external_id == external_id)) is not None

    def _cards(self, session: Session) -> Iterator[str]:
        store = self._demo.sandbox.feishu.store
        for card in session.scalars(select(PostedCard).where(PostedCard.retired.is_(False)).order_by(PostedCard.id)):
            if card.kind not in _ITEMS:
                continue
            message = store.messages.get(card.message_id or "")
            if message is None:
                yield f"the card {card.kind} {card.subject} for {card.receiver} was never shown"
            elif not message.recalled and store.clickable(message):
                shown, meant = message.content, self._drawn(session, card)
                if shown != meant:
                    yield f"{card.kind} {card.subject} for {card.receiver}: {_difference(shown, meant)}"

    def _drawn(self, session: Session, card: PostedCard) -> dict[str, Any]:
        look = Look(session, self._clock.now(), card.subject, card.params, card.receiver, all_areas())
        known = look.areas.named(CardKind, card.kind)
        assert known is not None
        drawn = known.draw(look)
        rendered = render(
            drawn, sign=lambda action: self._signer.sign(action, card.receiver), zone=ZONE, catalogue=self._words
        )
        found = json.loads(rendered.json)
        assert isinstance(found, dict)
        return found

    # --- books -----------------------------------------------------------------------------------------------------

    def _complaints(self, session: Session) -> Iterator[str]:
        theirs = self._demo.sandbox.wechatpay.complaints
        ours = {complaint.external_id: complaint for complaint in session.scalars(select(Complaint))}
        if len(ours) != session.query(Complaint).count():
            yield "a complaint was stored twice"
        for id, ticket in theirs.items():
            complaint = ours.get(id)
            if complaint is None:
                yield f"the complaint {id} never arrived"
                continue
            if (complaint.progress == Progress.FINISHED) != (ticket.state is State.PROCESSED):
                yield f"{complaint.number} is {complaint.progress} here and {ticket.state} there"
            if complaint.times != ticket.times:
                yield f"{complaint.number} was made {complaint.times} times here and {ticket.times} there"
            written = [reply for reply in _replies(session, complaint.id) if reply.state == ReplyState.SENT]
            read = [record.details for record in ticket.history if record.kind == "MERCHANT_RESPONSE"]
            if not ticket.immediate and sorted(reply.words for reply in written) != sorted(read):
                yield f"{complaint.number}: we count {len(written)} replies, the customer {len(read)}"

    def _refunds(self, session: Session) -> Iterator[str]:
        theirs = {refund.out_refund_no: refund for refund in self._demo.sandbox.wechatpay.ledger.refunds.values()}
        ours = {refund.out_refund_no: refund for refund in session.scalars(select(Refund))}
        for number, refund in theirs.items():
            if number not in ours:
                yield f"a refund {number} that we know nothing of"
            elif (ours[number].progress == RefundProgress.PAID) != (refund.status is RefundStatus.SUCCESS):
                yield f"{ours[number].number} is {ours[number].progress} here and {refund.status} there"
        for number, own in ours.items():
            if own.progress in (RefundProgress.PAID, RefundProgress.PROCESSING) and number not in theirs:
                yield f"{own.number} is {own.progress} here and unknown there"


def _replies(session: Session, complaint_id: int) -> list[ComplaintReply]:
    return Complaints(session).replies(complaint_id)


def _difference(shown: Any, meant: Any, path: str = "") -> str:
    if isinstance(shown, dict) and isinstance(meant, dict) and set(shown) == set(meant):
        for key in shown:
            if shown[key] != meant[key]:
                return _difference(shown[key], meant[key], f"{path}.{key}")
    if isinstance(shown, list) and isinstance(meant, list) and len(shown) == len(meant):
        for number, (left, right) in enumerate(zip(shown, meant, strict=True)):
            if left != right:
                return _difference(left, right, f"{path}.{number}")
    return f"{path}: shown {str(shown)[:300]}, meant {str(meant)[:300]}"
