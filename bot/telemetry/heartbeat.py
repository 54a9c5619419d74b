"""A process says every few seconds that it is there, and writes down which platforms do not answer it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.telemetry.calls import Watcher
from storage.core.processes import Processes, ProcessIdentity
from storage.database import Database

log = structlog.get_logger("process")
_EVERY = 5.0  # seconds
_SOON = 0.1
_MISSED = 20.0  # seconds; several beats, for the machine may be busy


class LastWrite:
    """When this process wrote something for the last time; it does so every few seconds whatever else happens."""

    def __init__(self) -> None:
        self._at = time.monotonic()  # a process is as old as it

    def noted(self) -> None:
        self._at = time.monotonic()

    @property
    def is_recent(self) -> bool:
        return time.monotonic() - self._at < _MISSED


class ProcessHeartbeat:
    """`ticking`: whether the schedule of this process runs just now. Times here are real time."""

    def __init__(
        self,
        database: Database,
        name: str,
        role: str,
        ticking: Callable[[], bool],
        watcher: Watcher,
        last_write: LastWrite,
    ) -> None:
        self._database = database
        self._who = ProcessIdentity(name, role, secrets.token_hex(8))
        self._ticking = ticking
        self._watcher = watcher
        self._last_write = last_write
        self._known = False
        self._ticked = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self.beat()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        try:
            self._watcher.write_down(self._database)
            with self._database.write() as session:
                Processes(session).stopped(self._who, datetime.now(UTC))
        except SQLAlchemyError as error:
            log.warning("process.not_signed_off", error=type(error).__name__)

    def beat(self) -> None:
        ticked = self._ticking()
        try:
            with self._database.write() as session:
                Processes(session).seen(self._who, datetime.now(UTC), ticked=ticked)
                if not self._known:
                    Processes(session).forget(datetime.now(UTC))
            self._known, self._ticked = True, ticked
            self._last_write.noted()
            self._watcher.write_down(self._database)
        except SQLAlchemyError as error:
            log.warning("process.not_seen", error=type(error).__name__)

    def _run(self) -> None:
        # At first soon, where there is a schedule: it is just beginning, and `mpops doctor` may be asked at once.
        soon = _SOON
        while not self._stop.wait(_EVERY if self._ticked or self._who.role == "web" else soon):
            soon = _SOON if self._ticked else min(2 * soon, 1.0)
            self.beat()
