"""What a restore takes up again of complaints: answers, finishing, pictures; and the timers behind such calls."""

from __future__ import annotations

from sqlalchemy import select

from bot.contributions.effects import Effect
from bot.contributions.restore import Resuming, Unfinished
from bot.unit import Unit
from handlers.complaints.jobs import COMPLETE_ACTION, REPLY_ACTION, RETRY_COMPLETE, RETRY_REPLY, reply_key
from handlers.complaints.service import COMPLETE, SEND_REPLY
from handlers.complaints.sync import PICTURES
from handlers.shared.accounts.registry import queue_of
from handlers.shared.recovery import begun, has_timer
from storage.areas.complaints import Complaint, ComplaintReply, Progress, ReplyState
from storage.core.effects import Effect as EffectRow


def _resume(resuming: Resuming) -> None:
    session = resuming.session
    sending = select(ComplaintReply).where(ComplaintReply.state == ReplyState.SENDING).order_by(ComplaintReply.id)
    for reply in session.scalars(sending):
        complaint = session.get_one(Complaint, reply.complaint_id)
        begun(
            resuming, reply_key(reply.id), action=REPLY_ACTION, account_key=complaint.account_key,
            subject=f"complaint:{complaint.id}",
        )  # fmt: skip
        if not has_timer(resuming, RETRY_REPLY, reply.id):
            queue = queue_of(session, complaint.account_key)
            resuming.enqueue(SEND_REPLY, f"reply-{reply.id}", {"id": reply.id}, queue=queue)
    for complaint in session.scalars(select(Complaint).where(Complaint.progress != Progress.FINISHED)):
        queue = queue_of(session, complaint.account_key)
        if complaint.progress == Progress.FINISHING and not has_timer(resuming, RETRY_COMPLETE, complaint.id):
            id = f"complete-{complaint.id}-{complaint.times}-{complaint.row_version}"
            resuming.enqueue(COMPLETE, id, {"id": complaint.id, "actor": complaint.claimed_by}, queue=queue)
        if complaint.picture_urls and not complaint.picture_keys:
            resuming.enqueue(PICTURES, f"pictures-{complaint.id}", {"id": complaint.id}, queue=queue)


def _reply_timer(unit: Unit, call: EffectRow) -> tuple[str, str]:
    return RETRY_REPLY, call.key.partition(":")[2]


def _complete_timer(unit: Unit, call: EffectRow) -> tuple[str, str]:
    return RETRY_COMPLETE, call.key.split(":")[1]


UNFINISHED = Unfinished("complaints", _resume)
EFFECTS = (Effect(REPLY_ACTION, _reply_timer), Effect(COMPLETE_ACTION, _complete_timer))
