"""Commands and clicks of complaints."""

from __future__ import annotations

from bot.contributions.routing import Click, Command
from bot.texts import text
from handlers.complaints import home
from handlers.complaints.listing import ListArguments, change_page, show
from handlers.complaints.permissions import HANDLE, REVEAL, VIEW
from handlers.complaints.service import Service

COMMANDS = (
    Command(
        ("投诉", "complaints", "complaint", "ts"),
        VIEW,
        ListArguments,
        show,
        text("help.complaints"),
        text("help.usage.complaints"),
    ),
)


def clicks(service: Service) -> tuple[Click, ...]:
    return (
        Click("complaint.claim", HANDLE, service.claim, service.check_claim),
        Click("complaint.release", HANDLE, service.release, service.check_release),
        Click("complaint.open_assign", HANDLE, service.open_assign, service.check_over),
        Click("complaint.assign", HANDLE, service.assign, service.check_assign),
        Click("complaint.open_reply", HANDLE, service.open_reply, service.check_mine),
        Click("complaint.template", HANDLE, service.template, service.check_template),
        Click("complaint.reply", HANDLE, service.reply, service.check_reply),
        Click("complaint.back", VIEW, service.back, done=text("click.opened")),
        Click("complaint.finish", HANDLE, service.finish, service.check_finish),
        Click("complaint.phone", REVEAL, service.phone, service.check_phone),
        Click("complaint.filter", VIEW, change_page, done=text("click.opened")),
        Click("complaint.page", VIEW, change_page, done=text("click.opened")),
        Click("complaint.show", VIEW, change_page, done=text("click.opened")),
        Click("home.complaints", None, home.open_list, done=text("click.opened")),
        Click("todo.complaint", VIEW, home.open_one, done=text("click.opened")),
    )
