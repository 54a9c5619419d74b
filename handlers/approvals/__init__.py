"""Approvals: somebody asks, others decide. The workflow stands in `handlers/shared/intents`."""

from __future__ import annotations

from bot.area import Area
from bot.contributions.cards import CardKind
from bot.contributions.home import TodoBlock
from bot.contributions.people import OnPersonLeft
from bot.contributions.permissions import PermissionSpec
from bot.contributions.scheduled import DeadlineKind
from bot.texts import text
from handlers.approvals import apply_file_tables, service, todo
from handlers.approvals.cards import draw
from handlers.approvals.clicks import CLICKS
from handlers.approvals.lookup import LOOKUP
from handlers.shared.house import House
from handlers.shared.intents.policy import VOTE
from handlers.shared.intents.requests import CARD, DUE


def area(house: House) -> Area:
    return Area(
        "approvals",
        text("help.area.approvals"),
        (
            PermissionSpec(VOTE, ("approver", "finance")),
            *CLICKS,
            CardKind(CARD, draw),
            DeadlineKind(DUE, service.due),
            TodoBlock("approvals", todo.items, place=-1),  # a decision that others wait for comes first
            OnPersonLeft("approvals", service.withdraw_all, place=-1),  # before what they handled is handed back
            LOOKUP,
            apply_file_tables.TABLE,
        ),
    )
