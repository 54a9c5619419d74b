"""Commands and clicks of complaints."""

from __future__ import annotations

from bot.permissions import Permission
from bot.router import Clickable, Command
from bot.texts import text
from handlers.complaints.listing import ListArguments, show, turn
from handlers.complaints.service import Service

COMMANDS = (
    Command(
        ("投诉", "complaints", "complaint", "ts"),
        Permission.COMPLAINT_VIEW,
        ListArguments,
        show,
        text("help.complaints"),
        ("/投诉", "/投诉 我的", "/投诉 C12"),
        "complaints",
    ),
)


def clickables(service: Service) -> tuple[Clickable, ...]:
    view, handle = Permission.COMPLAINT_VIEW, Permission.COMPLAINT_HANDLE
    return (
        Clickable("complaint.claim", handle, service.claim, service.check_claim),
        Clickable("complaint.release", handle, service.release, service.check_release),
        Clickable("complaint.open_assign", handle, service.open_assign, service.check_over),
        Clickable("complaint.assign", handle, service.assign, service.check_assign),
        Clickable("complaint.open_reply", handle, service.open_reply, service.check_mine),
        Clickable("complaint.template", handle, service.template, service.check_template),
        Clickable("complaint.reply", handle, service.reply, service.check_reply),
        Clickable("complaint.open_refund", Permission.REFUND_REQUEST, service.open_refund, service.check_refund),
        Clickable("complaint.back", view, service.back, done=text("click.opened")),
        Clickable("complaint.finish", handle, service.finish, service.check_finish),
        Clickable("complaint.phone", Permission.PERSONAL_REVEAL, service.phone, service.check_phone),
        Clickable("complaint.filter", view, turn, done=text("click.opened")),
        Clickable("complaint.page", view, turn, done=text("click.opened")),
        Clickable("complaint.show", view, turn, done=text("click.opened")),
    )
