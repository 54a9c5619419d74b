"""Areas of the house together: all of each in order, nothing twice, and an event heard by everybody who listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from bot.area import Area, Areas
from bot.card_context import Look
from bot.cards.values import Card, Tone
from bot.clock import SystemClock
from bot.contributions.base import Contribution
from bot.contributions.cards import CardKind, Drawn, Section
from bot.contributions.events import OnEvent
from bot.contributions.jobs import Job
from bot.contributions.permissions import ROLE_NAMES, Permission, PermissionSpec
from bot.contributions.routing import Asked, Click, Clicked, Command, NoArguments
from bot.contributions.scheduled import Cron, DeadlineKind, Scheduled, ScheduledByRows, Sweep
from bot.feishu.values import BotAddedToChat, BotMenu
from bot.jobs.engine import Engine, Payload
from bot.texts import text
from bot.unit import Unit, Units
from storage.core.schedule import Deadline, Deadlines
from storage.database import Database


def ask(unit: Unit, asked: Asked, arguments: NoArguments) -> None:
    raise AssertionError("not run here")


def click(unit: Unit, clicked: Clicked) -> None:
    raise AssertionError("not run here")


def command(*names: str) -> Command:
    return Command(names, None, NoArguments, ask, text("help.help"))


def draw(look: Look) -> Card:
    return Card(text("help.title"), (), Tone.CALM)


def section(look: Look) -> Drawn:
    return Drawn()


def job(payload: Payload) -> None:
    raise AssertionError("not run here")


def due(unit: Unit, deadline: Deadline) -> datetime | None:
    return unit.now + timedelta(hours=1)


def scheduled(id: str) -> Scheduled:
    return Scheduled(id, Cron("Asia/Shanghai"), f"{id}.job")


def by_rows(session: Session) -> Iterable[Scheduled]:
    return ()


def area(name: str, *brings: Contribution) -> Area:
    return Area(name, text("help.title"), brings)


ORDERS = area(
    "orders",
    command("订单", "orders"),
    command("发货", "ship"),
    Click("order.ship", None, click),
    CardKind("order", draw),
    Section("order", "stock", section),
    Job("order.poll", job),
    DeadlineKind("order.due", due),
    scheduled("orders.poll"),
    PermissionSpec(Permission("order.view"), ("viewer",)),
    Sweep(1, list),
)
STOCK = area(
    "stock",
    command("库存", "stock"),
    Click("stock.count", None, click),
    CardKind("stock", draw),
    Section("order", "other", section),
    Job("stock.count", job),
    ScheduledByRows("stock", by_rows),
    PermissionSpec(Permission("stock.count")),
    Sweep(60, dict),
    Sweep(1, list),
)


def test_of_each_class_there_is_everything_in_the_order_of_the_areas() -> None:
    areas = Areas(ORDERS, STOCK)
    assert [each.names[0] for each in areas.of(Command)] == ["订单", "发货", "库存"]
    assert [each.name for each in areas.of(CardKind)] == ["order", "stock"]
    assert [sweep.seconds for sweep in areas.of(Sweep)] == [1, 60, 1]
    assert [each.read for each in areas.of(ScheduledByRows)] == [by_rows]
    assert [(home.name, each.name) for home, each in areas.with_areas(Job)] == [
        ("orders", "order.poll"), ("stock", "stock.count"),
    ]  # fmt: skip
    assert Areas().of(Command) == ()


def test_a_place_goes_before_the_order_of_the_areas() -> None:
    areas = Areas(
        area("one", Sweep(1, list), Sweep(2, list, place=1)), area("two", Sweep(3, list, place=-1), Sweep(4, list))
    )
    assert [sweep.seconds for sweep in areas.of(Sweep)] == [3, 1, 4, 2]


def test_areas_that_come_later_are_heard_of_too() -> None:
    areas = Areas(ORDERS)
    assert areas.named(Job, "stock.count") is None
    assert areas.roles.permissions == ("order.view",)
    areas.add(STOCK)
    known = areas.named(Job, "stock.count")
    assert known is not None
    assert known.run is job
    assert areas.roles.permissions == ("order.view", "stock.count")


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (command("查单", "Orders"), "Command 'orders'"),
        (Click("order.ship", None, click), r"Click 'order\.ship'"),
        (CardKind("order", draw), "CardKind 'order'"),
        (Section("order", "stock", section), "Section 'order stock'"),
        (Job("order.poll", job), r"Job 'order\.poll'"),
        (DeadlineKind("order.due", due), r"DeadlineKind 'order\.due'"),
        (scheduled("orders.poll"), r"Scheduled 'orders\.poll'"),
        (PermissionSpec(Permission("order.view")), r"PermissionSpec 'order\.view'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_name_that_two_areas_bring_is_refused_and_changes_nothing(second: Contribution, what: str) -> None:
    areas = Areas(ORDERS, STOCK)
    with pytest.raises(ValueError, match=f"^the {what} is brought twice, by orders and by third$"):
        areas.add(area("third", second))
    assert len(areas.of(type(second))) == len(Areas(ORDERS, STOCK).of(type(second)))


def test_two_areas_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="the area 'orders' is brought twice"):
        Areas(ORDERS, area("orders"))


def test_one_area_may_not_name_twice_either_but_a_command_may_repeat_itself() -> None:
    with pytest.raises(ValueError, match="'orders'"):
        Areas(area("orders", command("订单", "orders"), command("查单", "orders")))
    assert Areas(area("orders", command("OK", "ok"))).of(Command)[0].names == ("OK", "ok")


def test_names_are_those_of_a_class_so_a_job_may_be_called_like_a_click() -> None:
    assert Areas(area("orders", Job("order.ship", job), Click("order.ship", None, click)))


def test_a_permission_is_carried_by_its_roles_and_by_administrators() -> None:
    roles = Areas(ORDERS, STOCK).roles
    carrying = {role for role in ROLE_NAMES if Permission("order.view") in roles.built_in[role]}
    assert carrying == {"viewer", "admin"}
    assert roles.permissions_of("night", {"night": ["stock.count", "gone"]}) == {"stock.count"}
    assert roles.permissions_of("nobody's", {}) == frozenset()


def test_a_role_that_there_is_not_is_refused_where_it_is_named() -> None:
    with pytest.raises(ValueError, match=r"'order\.view' names roles that there are not: \['viewr'\]"):
        Areas(area("orders", PermissionSpec(Permission("order.view"), ("viewr",))))


def test_everybody_who_listens_hears_an_event_in_turn_and_nobody_after_one_that_failed(database: Database) -> None:
    heard: list[tuple[str, str, datetime]] = []

    def listener(name: str) -> Callable[[Unit, BotAddedToChat], None]:
        def hear(unit: Unit, event: BotAddedToChat) -> None:
            heard.append((name, event.chat_id, unit.now))

        return hear

    def broken(unit: Unit, event: BotAddedToChat) -> None:
        raise RuntimeError("broken")

    def menu(unit: Unit, event: BotMenu) -> None:
        raise AssertionError("another event")

    first, second = (area(name, OnEvent(BotAddedToChat, listener(name))) for name in ("first", "second"))
    areas = Areas(first, area("menu", OnEvent(BotMenu, menu)), second)
    event = BotAddedToChat("oc_1", "Shop", "ou_1")
    units = Units(database, Engine(database, "test-0"), SystemClock(), areas)
    with units.write("added") as unit:
        unit.emit(event)
        assert heard == [("first", "oc_1", unit.now), ("second", "oc_1", unit.now)]
        unit.emit("nobody listens to this")

    heard.clear()
    failing = Areas(first, area("broken", OnEvent(BotAddedToChat, broken)), second)
    failing_units = Units(database, Engine(database, "test-0"), SystemClock(), failing)
    with pytest.raises(RuntimeError), failing_units.write("added") as unit:
        unit.emit(event)
    assert [name for name, _, _ in heard] == ["first"]


def test_a_unit_has_one_instance_of_each_sort_of_rows(database: Database) -> None:
    units = Units(database, Engine(database, "test-0"), SystemClock(), Areas())
    with units.write("rows") as unit:
        assert unit.of(Deadlines) is unit.of(Deadlines) is unit.deadlines
