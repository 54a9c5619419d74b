"""Toys for customers: an area with one of everything, to see that an area needs nothing but itself."""

from __future__ import annotations

from adapters.values import ComplaintNotice
from bot.area import Area
from bot.contributions.cards import CardKind, Section
from bot.contributions.digests import DigestBlock
from bot.contributions.home import TodoBlock
from bot.contributions.jobs import Job
from bot.contributions.people import OnPersonLeft
from bot.contributions.retention import Retention
from bot.contributions.scheduled import Cron, DeadlineKind, Scheduled
from bot.contributions.search import Lookup
from bot.contributions.web_routes import Routes
from bot.jobs.engine import Payload
from bot.texts import text
from handlers.shared.contributions.push_listeners import OnPush
from handlers.shared.house import House
from handlers.toys import apply_file_tables, cards, service
from handlers.toys.permissions import SPECS
from storage.areas.toys import Toys

COUNT = "toy.count"


def area(house: House) -> Area:
    def count(payload: Payload) -> None:
        with house.units.write(COUNT) as unit:
            for toy in unit.of(Toys).open():
                toy.counted += 1

    return Area(
        "toys",
        text("toy.area"),
        (
            *SPECS,
            *service.COMMANDS,
            *service.CLICKS,
            CardKind(service.CARD, cards.draw),
            Section("complaint", "toys", cards.on_complaint, cards.hold),
            DigestBlock("toys", cards.digest),
            TodoBlock("toys", cards.todo),
            service.APPROVABLE,
            Job(COUNT, count),
            Scheduled("toys.count", Cron(house.zone, minute="*"), COUNT),
            DeadlineKind(service.DUE, service.due),
            OnPush(ComplaintNotice, service.on_notice),
            OnPersonLeft("toys", service.maker_left),
            Retention("toys", lambda unit, before: unit.of(Toys).forget(before)),
            Lookup("toy", "t", service.find),
            Routes("toys", lambda: apply_file_tables.routes(house.units)),
            apply_file_tables.TABLE,
            apply_file_tables.CHECK,
            apply_file_tables.GAUGE,
        ),
    )
