"""Digests: what every area has to say of a day, in each group that wants it."""

from __future__ import annotations

from bot.area import Area
from bot.contributions.cards import CardKind
from bot.contributions.jobs import Job
from bot.contributions.permissions import PermissionSpec
from bot.contributions.scheduled import ScheduledByRows
from bot.texts import text
from handlers.digests import apply_file_tables
from handlers.digests.cards import CARD, draw
from handlers.digests.commands import COMMANDS, MANAGE
from handlers.digests.jobs import SEND, DigestJobs, scheduled
from handlers.shared.house import House


def area(house: House) -> Area:
    return Area(
        "digests",
        text("help.area.digests"),
        (
            PermissionSpec(MANAGE, ("operator", "finance")),
            *COMMANDS,
            CardKind(CARD, draw),
            Job(SEND, DigestJobs(house.units, house.zone).send),
            ScheduledByRows("digests", lambda session: scheduled(session, house.zone)),
            apply_file_tables.TABLE,
        ),
    )
