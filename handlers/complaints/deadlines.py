"""The two due times of a complaint as rows, and what happens when one comes near or goes by."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.texts import Text, text
from bot.unit import Unit, to_chat, to_person
from handlers.complaints.cards import CARD
from handlers.shared.due_times import countdown, next_reminder
from handlers.shared.phrases import ping
from storage.areas.complaints import Complaint, Complaints
from storage.core.schedule import Deadline

# docs/platforms/wechatpay.md ("Due times"), by the clock.
FIRST_REPLY_WITHIN = timedelta(hours=24)
FINISH_WITHIN = timedelta(hours=72)

FIRST = "complaint.first_reply"
FINISH = "complaint.finish"
_NEAR = {FIRST: "complaint.first_reply.near", FINISH: "complaint.finish.near"}
_MISSED = {FIRST: "complaint.first_reply.missed", FINISH: "complaint.finish.missed"}


def start(unit: Unit, complaint: Complaint) -> None:
    due = {FINISH: complaint.finish_due}
    if complaint.first_replied_at is None:
        due[FIRST] = complaint.first_reply_due
    unit.deadlines.set_all(
        str(complaint.id), {kind: (at, next_reminder(at, unit.now) or unit.now) for kind, at in due.items()}
    )


def answered(unit: Unit, complaint: Complaint) -> None:
    unit.deadlines.meet(FIRST, str(complaint.id), unit.now)


def stop(unit: Unit, complaint: Complaint) -> None:
    for kind in (FIRST, FINISH):
        unit.deadlines.meet(kind, str(complaint.id), unit.now)


def remind(unit: Unit, deadline: Deadline) -> datetime | None:
    """Tell the group; when to look again."""
    complaint = unit.of(Complaints).get(int(deadline.subject))
    if complaint is None or not complaint.is_open:
        return None
    if deadline.kind == FIRST and complaint.first_replied_at is not None:
        return None
    late = deadline.due_at <= unit.now
    left, _ = countdown(deadline.due_at, unit.now)
    words = text(
        (_MISSED if late else _NEAR)[deadline.kind],
        number=complaint.number,
        left=left,
        who=_responsible(unit, complaint),
    )
    if complaint.chat_id:
        unit.send_text(to_chat(complaint.chat_id), words)
    else:
        for admin in unit.people.holding("admin", "*"):
            unit.send_text(to_person(admin.open_id), words)
    if late:
        unit.audit(f"{deadline.kind}_missed", f"complaint:{complaint.id}", None, number=complaint.number)
    unit.refresh(CARD, str(complaint.id))
    return next_reminder(deadline.due_at, unit.now)


def _responsible(unit: Unit, complaint: Complaint) -> Text:
    """Whoever claimed it; else the program's owner; else nobody is named."""
    person = unit.people.by_id(complaint.claimed_by) if complaint.claimed_by else None
    if person is None:
        program = unit.configuration.program(complaint.program_key)
        person = unit.people.by_open_id(program.owner) if program is not None and program.owner else None
    if person is None or not person.is_active:
        return text("complaint.nobody")
    return text("person.mention", who=ping(person))
