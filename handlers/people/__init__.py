"""People and their roles, and what becomes of their items when their rights end."""

from __future__ import annotations

from bot.area import Area
from bot.contributions.cards import CardKind
from bot.contributions.events import OnEvent
from bot.contributions.jobs import Job
from bot.contributions.permissions import PermissionSpec
from bot.contributions.scheduled import Cron, Scheduled
from bot.feishu.values import UserChanged, UserLeft
from bot.texts import text
from handlers.people import apply_file_tables
from handlers.people.cards import ME, draw_me
from handlers.people.commands import COMMANDS, MANAGE
from handlers.people.jobs import CHECK, PeopleJobs
from handlers.people.offboarding import on_changed, on_left
from handlers.shared.house import House


def area(house: House) -> Area:
    return Area(
        "people",
        text("help.area.people"),
        (
            PermissionSpec(MANAGE),
            *COMMANDS,
            *apply_file_tables.TABLES,
            CardKind(ME, draw_me),
            Job(CHECK, PeopleJobs(house.units, house.feishu).check),
            OnEvent(UserLeft, on_left),
            OnEvent(UserChanged, on_changed),
            Scheduled("people.check", Cron(house.zone, hour="*/6", minute="20"), CHECK),
        ),
    )
