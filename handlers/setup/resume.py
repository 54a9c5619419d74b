"""After a restore: enqueue anew what the rows say is not finished.

The backup is of an earlier moment. What it says is about to be done outside may have been done since, so every such
call is marked as begun: the job behind it looks before it acts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.engine import CARDS, Engine, channel_queue
from bot.inbox import PROCESS
from bot.parcels import CARD_LIFE
from bot.unit import DELIVER
from handlers.complaints.jobs import RETRY_COMPLETE, RETRY_REPLY
from handlers.complaints.service import COMPLETE, SEND_REPLY
from handlers.complaints.sync import PICTURES
from handlers.refunds.service import SEND
from storage.complaints import Complaint, ComplaintReply, Progress, ReplyState
from storage.effects import Effects, EffectState
from storage.inbox import InboxItem, InboxState
from storage.outbox import OutboxMessage, OutboxState, PostedCard
from storage.refunds import RefundProgress, Refunds
from storage.schedule import Deadlines
from storage.setup import Account


def resume(session: Session, engine: Engine, now: datetime) -> None:
    """Runs in the transaction of the restore. Deadlines and schedules are found by their own sweeps."""
    _incoming(session, engine)
    _outgoing(session, engine, now)
    _complaints(session, engine, now)
    _refunds(session, engine, now)


def _incoming(session: Session, engine: Engine) -> None:
    new = select(InboxItem.id).where(InboxItem.state == InboxState.NEW).order_by(InboxItem.received_at)
    for id in session.scalars(new):
        engine.enqueue(session, PROCESS, id, {"id": id})


def _outgoing(session: Session, engine: Engine, now: datetime) -> None:
    waiting = select(OutboxMessage).where(OutboxMessage.state == OutboxState.WAITING).order_by(OutboxMessage.id)
    for message in session.scalars(waiting):
        payload = {"lane": message.lane}
        engine.enqueue(session, DELIVER, f"deliver-{message.id}", payload, queue=CARDS, partition=message.lane)
    # What stands in the chats is of a later moment than the rows: every card that can still be changed is drawn again.
    standing = select(PostedCard).where(
        PostedCard.message_id.is_not(None),
        PostedCard.retired.is_(False),
        PostedCard.posted_at > now - CARD_LIFE + timedelta(hours=12),
    )
    for card in session.scalars(standing):
        card.drawn, card.redraw_at = None, now


def _complaints(session: Session, engine: Engine, now: datetime) -> None:
    sending = select(ComplaintReply).where(ComplaintReply.state == ReplyState.SENDING).order_by(ComplaintReply.id)
    for reply in session.scalars(sending):
        complaint = session.get_one(Complaint, reply.complaint_id)
        _begun(session, f"reply:{reply.id}", "complaint.reply", complaint.account_key, complaint.id, now)
        if not _timed(session, RETRY_REPLY, reply.id):
            queue = _queue(session, complaint.account_key)
            engine.enqueue(session, SEND_REPLY, f"reply-{reply.id}", {"id": reply.id}, queue=queue)
    for complaint in session.scalars(select(Complaint).where(Complaint.progress != Progress.FINISHED)):
        queue = _queue(session, complaint.account_key)
        if complaint.progress == Progress.FINISHING and not _timed(session, RETRY_COMPLETE, complaint.id):
            id = f"complete-{complaint.id}-{complaint.times}-{complaint.row_version}"
            engine.enqueue(session, COMPLETE, id, {"id": complaint.id, "actor": complaint.claimed_by}, queue=queue)
        if complaint.picture_urls and not complaint.picture_keys:
            engine.enqueue(session, PICTURES, f"pictures-{complaint.id}", {"id": complaint.id}, queue=queue)


def _refunds(session: Session, engine: Engine, now: datetime) -> None:
    """One that is being sent or followed has a timer; one that was only approved has nothing but its job."""
    for refund in Refunds(session).in_states(RefundProgress.APPROVED):
        key = f"refund:{refund.out_refund_no}"
        _begun(session, key, "refund.create", refund.account_key, refund.complaint_id, now)
        queue = _queue(session, refund.account_key)
        engine.enqueue(session, SEND, f"refund-{refund.id}-{refund.attempts}", {"id": refund.id}, queue=queue)


def _begun(session: Session, key: str, action: str, account_key: str, complaint_id: int, now: datetime) -> None:
    effects = Effects(session)
    if effects.get(key) is None:
        subject = f"complaint:{complaint_id}"
        effects.begin(key, action=action, account_key=account_key, subject=subject, request={}, at=now)
        effects.settle(key, EffectState.UNKNOWN, now)


def _timed(session: Session, kind: str, subject: int) -> bool:
    deadline = Deadlines(session).get(kind, str(subject))
    return deadline is not None and deadline.done_at is None


def _queue(session: Session, account_key: str) -> str:
    account = session.get(Account, account_key)
    return channel_queue(account.channel if account is not None else "wechatpay")
