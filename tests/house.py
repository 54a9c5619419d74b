"""The areas of the product, put together as `app.py` does, for tests of one of them."""

from __future__ import annotations

from functools import cache

from app import furnish
from bot.area import Areas
from bot.clock import Clock, SystemClock
from bot.feishu.lark import LarkFeishu
from bot.jobs.engine import Engine
from bot.unit import Units
from handlers.shared.accounts.registry import Channels
from handlers.shared.house import House
from storage.database import Database

ZONE = "Asia/Shanghai"


def units_of(database: Database, engine: Engine, clock: Clock) -> Units:
    """Units of work in which every area is known."""
    units = Units(database, engine, clock, Areas())
    feishu = LarkFeishu("cli_test", "no secret", "http://127.0.0.1:1", clock)
    furnish(House(units, Channels(database, clock), feishu, clock, ZONE))
    return units


@cache
def all_areas() -> Areas:
    """What the areas bring; of a house whose database nobody opens."""
    database = Database("sqlite:///nobody-opens-this.db")
    return units_of(database, Engine(database, "nobody"), SystemClock()).areas
