"""Telling the processes beside this one that there is work: PostgreSQL's NOTIFY and LISTEN.

Whoever hands over work notifies in the same transaction, so the others hear of it when it is committed and not before,
and of nothing that was rolled back. A notification says which queue has work, and that is all it does: what is lost
(a connection breaks, a pooler between us and the server swallows it) is found by the next look at the queue.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from storage.database import Database

if TYPE_CHECKING:
    import psycopg

log = structlog.get_logger("engine")

_CHANNEL = "mpops_jobs"
_NOTIFY = text(f"SELECT pg_notify('{_CHANNEL}', :told)")
_PROVEN_WITHIN = 5.0  # seconds for a notification of our own to come back
_PROVEN_FOR = 60.0  # seconds; then it is to come back once more
_AGAIN = (1.0, 2.0, 5.0, 15.0)  # seconds before the next try to listen, the last one for ever
_STOP_SEEN = 1.0  # seconds


def notify(session: Session, process: str, queues: Iterable[str]) -> None:
    """Tell the others, when this transaction is committed, that these queues have work."""
    session.execute(_NOTIFY, {"told": f"{process} {' '.join(queues)}"})


class Listener:
    """Listens on a connection of its own, and comes back by itself whenever that breaks.

    `process`: a name of this process that no other one has; what it notified itself it was woken for already.
    `wake` is called with the queues, and without any when something may have been missed.
    """

    def __init__(self, database: Database, process: str, wake: Callable[..., object]) -> None:
        self._database = database
        self._process = process
        self._wake = wake
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine-listener", daemon=True)
        self._hears = False

    @property
    def hears(self) -> bool:
        """Whether notifications arrive just now: one of our own came, told by another connection."""
        return self._hears

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        failed = 0
        while not self._stop.is_set():
            try:
                with self._database.line() as connection:
                    connection.execute(f"LISTEN {_CHANNEL}")
                    self._prove(connection)
                    failed = 0
                    self._hears = True
                    self._wake()  # what was committed before is not told again
                    self._listen(connection)
            except Exception as error:  # this thread must not end: nobody would begin it again
                if failed == 0:
                    log.warning("engine.not_notified", error=type(error).__name__)
            finally:
                self._hears = False
            self._wake()
            self._stop.wait(_AGAIN[min(failed, len(_AGAIN) - 1)])
            failed += 1

    def _prove(self, connection: psycopg.Connection[Any]) -> None:
        """Raises TimeoutError where nothing is heard, as behind a pooler that gives each transaction another line.

        What is to be heard is told by another connection, as all that follows will be.
        """
        token = secrets.token_hex(8)  # no queue is named, so it wakes nobody
        with self._database.writer.begin() as other:
            other.execute(_NOTIFY, {"told": token})
        until = time.monotonic() + _PROVEN_WITHIN
        while not self._stop.is_set():
            left, payloads = until - time.monotonic(), list[str]()
            if left <= 0:
                raise TimeoutError
            for heard in connection.notifies(timeout=min(left, 0.5), stop_after=1):
                payloads.append(heard.payload)  # several may come together
            for payload in payloads:
                self._heard(payload)
            if token in payloads:
                return

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        proven = time.monotonic()
        while not self._stop.is_set():
            for heard in connection.notifies(timeout=_STOP_SEEN):
                self._heard(heard.payload)
            if time.monotonic() - proven > _PROVEN_FOR:
                self._prove(connection)
                proven = time.monotonic()

    def _heard(self, payload: str) -> None:
        process, *queues = payload.split() or [""]  # anybody may say anything there
        if process != self._process and queues:
            self._wake(*queues)
