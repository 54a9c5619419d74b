"""What grows with the number of complaints: the same questions to a smaller and to a larger database, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.card_context import Look
from handlers.complaints import cards, listing
from storage.areas.complaints import Complaints
from storage.areas.people import People
from storage.core.audit import entries
from storage.core.schedule import Deadlines
from storage.database import Database
from tests.bench.filling import CHAT, NOW, OPEN_ID, fill, phone
from tests.bench.stage import Stage
from tests.bench.table import Measured, Ratio, percentile
from tests.house import all_areas

_FEWEST = 15


def measure(stage: Stage) -> Measured:
    small, large = stage.complaints
    found = Measured(
        "growth", f"medians with {small} and {large} complaints (ten audit entries each), a small share of them open",
        ("what", f"{small}: ms", f"{large}: ms", "ratio"),
    )  # fmt: skip
    for kind in stage.databases:
        stage.progress(f"filling {kind}")
        databases = [fill(stage.database(kind), count) for count in stage.complaints]
        try:
            for name, ask in _QUESTIONS.items():
                stage.progress(f"{kind}: {name}")
                times = _in_turns(stage, databases, ask)
                first, second = (percentile(each, 0.5) for each in times)
                found.rows.append((f"{name}, {kind}", first, second, second / first))
                found.ratios.append(Ratio(f"{name}, {kind}", (second / first,), 2.0, at_most=True))
        finally:
            for database in databases:
                database.close()
    return found


def _in_turns(stage: Stage, databases: list[Database], ask: Callable[[Session, int], object]) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in databases]
    share = stage.seconds * stage.rounds / len(_QUESTIONS)
    ends = time.monotonic() + share
    number = 0
    while time.monotonic() < ends or number < _FEWEST:
        for database, values in zip(databases, times, strict=True):
            with database.read() as session:
                started = time.perf_counter()
                ask(session, number)
                values.append((time.perf_counter() - started) * 1000)
        number += 1
    return times


def _look(session: Session, subject: str = "", **params: object) -> Look:
    return Look(session, NOW, subject, {"for": OPEN_ID, **params}, f"chat:{CHAT}", all_areas())


def _sweep(session: Session, number: int) -> object:
    return Deadlines(session).due(NOW + timedelta(seconds=number % 7)), _overdue(session, NOW)


def _overdue(session: Session, now: datetime) -> datetime | None:
    return Deadlines(session).oldest_overdue(now)


_QUESTIONS: dict[str, Callable[[Session, int], object]] = {
    "list of the open ones": lambda session, number: listing.draw(_look(session, filter="open", chat=CHAT)),
    "list of all, page 3": lambda session, number: listing.draw(_look(session, filter="all", chat=CHAT, page=3)),
    "search by phone": lambda session, number: listing.draw(
        _look(session, filter="all", phone=phone(97 * number % 1000))
    ),
    "one case": lambda session, number: cards.draw(_look(session, str(1 + 31 * number % 1000))),
    "a day's statistics": lambda session, number: Complaints(session).counts(CHAT, NOW - timedelta(days=1), NOW),
    "deadline sweep": _sweep,
    "audit of one case": lambda session, number: entries(session, f"complaint:{1 + 31 * number % 1000}", 20),
    "newest of the audit": lambda session, number: entries(session, None, 20),
    "who is asking": lambda session, number: People(session).by_open_id(OPEN_ID),
}
