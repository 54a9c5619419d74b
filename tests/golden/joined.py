"""What the present tree brings, by name: the only place of the comparison that knows how its parts are joined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import app
from bot import housekeeping
from bot.part import Part, join
from bot.settings import Settings
from handlers.approvals import part as approvals
from handlers.approvals.service import Approving
from handlers.channels import part as accounts
from handlers.complaints import part as complaints
from handlers.complaints.service import Service
from handlers.digests import part as digests
from handlers.help import part as helping
from handlers.people import part as people
from handlers.refunds import part as refunds
from handlers.refunds.service import RefundService
from handlers.status import part as status


class _Nobody:
    """Stands where somebody is named and not asked: nothing is run here."""

    def __getattr__(self, name: str) -> Any:
        return self


def joined(folder: Path) -> dict[str, set[str]]:
    """Names by kind, as a recording's `played` has them; commands with all their words, as `first/other`."""
    house = _house(folder)
    return {
        "commands": {"/".join(command.names) for command in house.commands},
        "clicks": {clickable.name for clickable in house.clickables},
        "cards": set(house.drawings),
        "events": {event.__name__ for event in house.events},
        "deadlines": set(house.deadlines),
        "jobs": set(house.jobs),
        "schedules": {scheduled.id for scheduled in house.standing},
        "command line": {" ".join(path) for path in _paths(app.main)},
    }


def _house(folder: Path) -> Part:
    """Everything that all areas bring, joined as `app.build` does it."""
    bot = app.build(
        Settings.model_validate({"database_url": f"sqlite:///{folder / 'none.db'}", "secret_key": "x" * 32})
    )
    try:
        approving, zone = Approving(), bot.settings.zone
        handling = Service(bot.channels)
        areas = join(
            (
                complaints.part(bot.units, bot.channels, bot.feishu, handling, zone),
                refunds.part(bot.units, bot.channels, RefundService(bot.channels, handling, approving), zone),
                approvals.part(approving, {}),
                helping.part(lambda: _Nobody()),
                complaints.after_greeting(),
                digests.part(bot.units, zone),
                people.part(bot.units, bot.feishu, approving.withdraw_all, zone),
                status.part(_Nobody()),
                accounts.part(bot.channels, zone),
            )
        )
        return join((areas, housekeeping.part(bot.units, bot.engine, _Nobody(), _Nobody(), areas.deadlines, zone)))
    finally:
        bot.channels.close()
        bot.database.close()


def _paths(group: click.Group, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        inside = _paths(command, (*prefix, name)) if isinstance(command, click.Group) else []
        found += inside or [(*prefix, name)]
    return found
