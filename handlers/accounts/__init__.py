"""Accounts on the channels: what keeps them fit for work."""

from __future__ import annotations

from bot.area import Area
from bot.contributions.jobs import Job
from bot.contributions.scheduled import Cron, Scheduled
from bot.texts import text
from handlers.accounts import apply_file_tables
from handlers.shared.house import House

REFRESH = "channels.refresh"


def area(house: House) -> Area:
    return Area(
        "accounts",
        text("help.area.accounts"),
        (
            *apply_file_tables.TABLES,
            Job(REFRESH, lambda payload: house.accounts.refresh()),
            Scheduled(REFRESH, Cron(house.zone, minute="7"), REFRESH),
        ),
    )
