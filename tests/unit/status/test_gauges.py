"""Numbers that an area brings stand on the metrics page beside those of the house."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from bot.area import Area, Areas
from bot.clock import SystemClock
from bot.contributions.gauges import Gauge
from bot.feishu.lark import LarkFeishu
from bot.jobs.engine import Engine
from bot.telemetry.gauges import Reading, one
from bot.texts import text
from bot.unit import Units
from handlers.status.gauges import measure
from storage.core.inbox import Inbox
from storage.database import Database


def waiting(session: Session, now: datetime) -> Iterator[Reading]:
    yield one("toys_waiting", "Toys that wait", Inbox(session).waiting()[0] + 7)


def test_a_gauge_is_read_with_the_others(database: Database) -> None:
    engine = Engine(database, "gauges")
    engine.migrate()
    areas = Areas(Area("toys", text("help.title"), (Gauge("toys", waiting),)))
    units = Units(database, engine, SystemClock(), areas)
    found = {each.name: each for each in measure(units, LarkFeishu("cli_a", "s", "http://127.0.0.1:1", SystemClock()))}
    assert found["toys_waiting"].values == (("", 7.0),)
    assert "inbox_waiting" in found
