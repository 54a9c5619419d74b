"""What the house itself takes up again after a restore: what came in, what goes out, and every card."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot.area import Area
from bot.contributions.restore import Resuming, Unfinished
from bot.jobs.engine import CARDS
from bot.jobs.names import DELIVER, PROCESS
from bot.outgoing.rendering import CARD_LIFE
from storage.core.inbox import InboxItem, InboxState
from storage.core.outbox import OutboxMessage, OutboxState, PostedCard


def _incoming(resuming: Resuming) -> None:
    new = select(InboxItem.id).where(InboxItem.state == InboxState.NEW).order_by(InboxItem.received_at)
    for id in resuming.session.scalars(new):
        resuming.enqueue(PROCESS, id, {"id": id})


def _outgoing(resuming: Resuming) -> None:
    session, now = resuming.session, resuming.now
    waiting = select(OutboxMessage).where(OutboxMessage.state == OutboxState.WAITING).order_by(OutboxMessage.id)
    for message in session.scalars(waiting):
        payload = {"lane": message.partition}
        resuming.enqueue(DELIVER, f"deliver-{message.id}", payload, queue=CARDS, partition=message.partition)
    # What stands in the chats is of a later moment than the rows: every card that can still be changed is drawn again.
    standing = select(PostedCard).where(
        PostedCard.message_id.is_not(None),
        PostedCard.retired.is_(False),
        PostedCard.posted_at > now - CARD_LIFE + timedelta(hours=12),
    )
    for card in session.scalars(standing):
        card.drawn, card.refresh_at = None, now


UNFINISHED = Area("unfinished", None, (Unfinished("inbox", _incoming), Unfinished("outbox", _outgoing)))
