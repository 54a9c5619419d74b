"""Transactions at the same moment, and what one of them asks the database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from storage.database import Database


def together(count: int, work: Callable[[int], object]) -> list[object]:
    """Run it in so many threads that begin at the same moment."""
    barrier = threading.Barrier(count)

    def one(number: int) -> object:
        barrier.wait(10)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is run on the connections that write, without the beginning and the end of transactions."""
    heard: list[str] = []

    def hear(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if not statement.startswith("BEGIN"):
            heard.append(statement)

    event.listen(database.writer, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(database.writer, "before_cursor_execute", hear)
