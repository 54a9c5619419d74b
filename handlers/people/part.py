"""What people bring to the house."""

from __future__ import annotations

from bot.feishu.port import Feishu
from bot.feishu.values import UserChanged, UserLeft
from bot.part import Part
from bot.schedule import Cron, Scheduled
from bot.unit import Units
from handlers.people.jobs import CHECK, PeopleJobs
from handlers.people.table import COMMANDS, ME, Withdraw, draw_me, on_changed, on_left


def part(units: Units, feishu: Feishu, withdraw_all: Withdraw, zone: str) -> Part:
    """`withdraw_all`: what becomes of the requests of somebody who left."""
    return Part(
        commands=COMMANDS,
        drawings={ME: draw_me},
        jobs={CHECK: PeopleJobs(units, feishu, withdraw_all).check},
        events={UserLeft: on_left(withdraw_all), UserChanged: on_changed(withdraw_all)},
        standing=(Scheduled("people.check", Cron(zone, hour="*/6", minute="20"), CHECK),),
    )
