"""What the present tree brings, by name: the only place of the comparison that knows how its areas are joined."""

from __future__ import annotations

from pathlib import Path

import click

import app
from bot.contributions.cards import CardKind
from bot.contributions.events import OnEvent
from bot.contributions.jobs import Job
from bot.contributions.routing import Click, Command
from bot.contributions.scheduled import DeadlineKind, Scheduled
from bot.settings import Settings
from tests.rows import SECRET


def joined(folder: Path) -> dict[str, set[str]]:
    """Names by kind, as a recording's `played` has them; commands with all their words, as `first/other`."""
    bot = app.build(Settings.model_validate({"database_url": f"sqlite:///{folder / 'none.db'}", "secret_key": SECRET}))
    areas = bot.units.areas
    bot.channels.close()
    bot.database.close()
    return {
        "commands": {"/".join(command.names) for command in areas.of(Command)},
        "clicks": {each.name for each in areas.of(Click)},
        "cards": {kind.name for kind in areas.of(CardKind)},
        # What areas emit themselves is no event that anybody could play.
        "events": {on.event.__name__ for on in areas.of(OnEvent) if on.event.__module__ == "bot.feishu.values"},
        "deadlines": {kind.name for kind in areas.of(DeadlineKind)},
        "jobs": {job.name for job in areas.of(Job)},
        "schedules": {scheduled.id for scheduled in areas.of(Scheduled)},
        "command line": {" ".join(path) for path in _paths(app.main)},
    }


def _paths(group: click.Group, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        inside = _paths(command, (*prefix, name)) if isinstance(command, click.Group) else []
        found += inside or [(*prefix, name)]
    return found
