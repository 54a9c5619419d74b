"""What the apply file declares of complaints: where they go, and prepared answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import Field
from sqlalchemy.orm import Session

from bot.area import Areas
from bot.contributions.configuration import Applying, Change, ConfigTable, Declared, Table
from bot.contributions.doctor import Check, Finding
from handlers.shared.apply_file_rows import account_keys, programs, rows
from storage.areas.configuration import ComplaintRoute, Configuration, ReplyTemplate


class RouteTable(Table):
    account: str
    program: str
    chat: str = Field(default="", pattern=r"^(oc_.*)?$")


class TemplateTable(Table):
    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    title: str = Field(max_length=40)
    text: str = Field(max_length=500)


def _check_routes(declared: Declared, areas: Areas) -> Iterator[str]:
    accounts, known = account_keys(declared), programs(declared)
    for route in declared["complaint_route"]:
        if route.account not in accounts or route.program not in known:
            yield f"complaint_route {route.account}: no such account or program"


def _routes(applying: Applying, declared: Declared) -> list[Change]:
    chats = {key: program.chat for key, program in programs(declared).items()}
    return rows(
        applying.session, "complaint_route", Configuration(applying.session).routes(), lambda row: row.account_key,
        {
            route.account: {"program_key": route.program, "chat_id": route.chat or chats[route.program]}
            for route in declared["complaint_route"]
        },
        lambda key, values: ComplaintRoute(account_key=key, **values),
    )  # fmt: skip


def _templates(applying: Applying, declared: Declared) -> list[Change]:
    return rows(
        applying.session, "reply_template", Configuration(applying.session).templates(), lambda row: row.key,
        {
            template.key: {"title": template.title, "body": template.text, "place": place}
            for place, template in enumerate(declared["reply_template"])
        },
        lambda key, values: ReplyTemplate(key=key, **values),
    )  # fmt: skip


TABLES = (
    ConfigTable("complaint_route", RouteTable, _routes, lambda row: str(row.account), _check_routes),
    ConfigTable("reply_template", TemplateTable, _templates, lambda row: str(row.key)),
)


def _routed(session: Session) -> Iterable[Finding]:
    """Whether the complaints of each account have a group to go to."""
    configuration = Configuration(session)
    for account in configuration.accounts():
        if account.channel == "wechatpay":
            route = configuration.route(account.key)
            yield Finding(
                "setup", f"complaints of {account.key}", route is not None,
                f"go to chat {route.chat_id}" if route else "have no group to go to",
                "" if route else "declare a [[complaint_route]] for this account",
            )  # fmt: skip


CHECK = Check("complaint routes", _routed)
