"""Parts of the house, joined: all of each in order, nothing twice, and an event heard by everybody who listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from bot.cards.values import Card, Tone
from bot.clock import SystemClock
from bot.drawing import Look
from bot.engine import Engine, Payload
from bot.feishu.values import BotAddedToChat, BotMenu
from bot.part import Part, join
from bot.router import Asked, Clickable, Clicked, Command, NoArguments
from bot.schedule import Cron, Scheduled
from bot.texts import text
from bot.unit import Unit, Units
from storage.database import Database
from storage.schedule import Deadline


def ask(unit: Unit, asked: Asked, arguments: NoArguments) -> None:
    raise AssertionError("not run here")


def click(unit: Unit, clicked: Clicked) -> None:
    raise AssertionError("not run here")


def command(*names: str) -> Command:
    return Command(names, None, NoArguments, ask, text("help.help"))


def draw(look: Look) -> Card:
    return Card(text("help.title"), (), Tone.CALM)


def job(payload: Payload) -> None:
    raise AssertionError("not run here")


def due(unit: Unit, deadline: Deadline) -> datetime | None:
    return unit.now + timedelta(hours=1)


def scheduled(id: str) -> Scheduled:
    return Scheduled(id, Cron("Asia/Shanghai"), f"{id}.job")


def by_rows(session: Session) -> Iterable[Scheduled]:
    return ()


ORDERS = Part(
    commands=(command("订单", "orders"), command("发货", "ship")),
    clickables=(Clickable("order.ship", None, click),),
    drawings={"order": draw},
    jobs={"order.poll": job},
    deadlines={"order.due": due},
    standing=(scheduled("orders.poll"),),
    sweeps=((1, list),),
)
STOCK = Part(
    commands=(command("库存", "stock"),),
    clickables=(Clickable("stock.count", None, click),),
    drawings={"stock": draw, "stock_list": draw},
    jobs={"stock.count": job},
    deadlines={"stock.due": due},
    standing=(scheduled("stock.count"),),
    sources=(by_rows,),
    sweeps=((60, dict), (1, list)),
)


def test_the_whole_has_everything_of_each_in_the_order_of_the_parts() -> None:
    whole = join((ORDERS, Part(), STOCK))
    assert whole.commands == (*ORDERS.commands, *STOCK.commands)
    assert whole.clickables == (*ORDERS.clickables, *STOCK.clickables)
    assert list(whole.drawings) == ["order", "stock", "stock_list"]
    assert whole.jobs == {"order.poll": job, "stock.count": job}
    assert whole.deadlines == {"order.due": due, "stock.due": due}
    assert [each.id for each in whole.standing] == ["orders.poll", "stock.count"]
    assert whole.sources == (by_rows,)
    assert [seconds for seconds, _ in whole.sweeps] == [1, 60, 1]
    assert join(()) == Part()


def test_a_whole_is_a_part_again() -> None:
    whole = join((join((ORDERS,)), STOCK))
    assert whole == join((ORDERS, STOCK))
    with pytest.raises(ValueError, match=r"the job 'order\.poll' is brought twice"):
        join((whole, Part(jobs={"order.poll": job})))


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (Part(commands=(command("查单", "Orders"),)), "command 'orders'"),
        (Part(clickables=(Clickable("order.ship", None, click),)), r"action 'order\.ship'"),
        (Part(drawings={"order": draw}), "card kind 'order'"),
        (Part(jobs={"order.poll": job}), r"job 'order\.poll'"),
        (Part(deadlines={"order.due": due}), r"deadline kind 'order\.due'"),
        (Part(standing=(scheduled("orders.poll"),)), r"schedule 'orders\.poll'"),
    ],
    ids=("command", "action", "card", "job", "deadline", "schedule"),
)
def test_a_name_that_two_parts_bring_is_refused(second: Part, what: str) -> None:
    with pytest.raises(ValueError, match=f"^the {what} is brought twice: every .* belongs to one part$"):
        join((ORDERS, STOCK, second))


def test_one_part_may_not_name_twice_either_but_a_command_may_repeat_itself() -> None:
    with pytest.raises(ValueError, match="'orders'"):
        join((Part(commands=(command("订单", "orders"), command("查单", "orders"))),))
    assert join((Part(commands=(command("OK", "ok"),)),)).commands[0].names == ("OK", "ok")


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

    first, second = (Part(events={BotAddedToChat: listener(name)}) for name in ("first", "second"))
    whole = join((first, Part(events={BotMenu: menu}), second))
    assert set(whole.events) == {BotAddedToChat, BotMenu}
    event = BotAddedToChat("oc_1", "Shop", "ou_1")
    units = Units(database, Engine(database, "test-0"), SystemClock())
    with units.write("added") as unit:
        whole.events[BotAddedToChat](unit, event)
        assert heard == [("first", "oc_1", unit.now), ("second", "oc_1", unit.now)]

    heard.clear()
    failing = join((first, Part(events={BotAddedToChat: broken}), second))
    with pytest.raises(RuntimeError), units.write("added") as unit:
        failing.events[BotAddedToChat](unit, event)
    assert [name for name, _, _ in heard] == ["first"]
