"""The right of one process to execute work under its name: two that share a name would take up each other's jobs.

The work of a dead process is taken up anew by whoever starts under its name (docs/decisions/0001-dbos-as-engine.md).
So the name is held by something that ends with the process, also after kill -9: a session lock on one connection kept
for that alone (PostgreSQL), or a lock on a file beside the database (SQLite, which is for one executing process
whatever its name).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import threading
import time
from pathlib import Path
from typing import Protocol

import structlog
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from storage.database import Database

log = structlog.get_logger("slot")

WAIT = 15.0  # seconds: a predecessor that is stopping may still hold the name
_LOOK = 0.2  # seconds between two tries
_WATCH = 1.0  # seconds between two looks whether the connection still stands
_ASK = 30.0  # seconds after which the server is asked, for a connection that is dead and does not show it
_COMPLAIN = 60.0  # seconds between two complaints that somebody else has the name


class ExecutorLockTaken(Exception):
    """Another live process has the name. `holder` tells what is known of it, for people."""

    def __init__(self, name: str, holder: str, *, file: bool) -> None:
        super().__init__(name)
        self.name, self.holder, self.file = name, holder, file


class ExecutorLock(Protocol):
    """Taken once before work is executed, given up after the last of it."""

    def take(self, stopping: threading.Event, wait: float = WAIT) -> bool:
        """Whether the name is ours now; False when `stopping` was set before.

        Raises ExecutorLockTaken after `wait` seconds.
        """
        ...

    @property
    def held(self) -> bool: ...

    def release(self) -> None: ...


def lock_of(database: Database, name: str) -> ExecutorLock:
    return FileExecutorLock(database, name) if database.is_sqlite else ServerExecutorLock(database, name)


class FileExecutorLock:
    """An exclusive lock on `<database>.lock`; the file stays, the lock goes with the process."""

    def __init__(self, database: Database, name: str) -> None:
        file = database.url.database or ":memory:"
        self._private = file == ":memory:"
        self._path = Path(f"{Path(file).resolve()}.lock")
        self._name = name
        self._file: int | None = None

    @property
    def held(self) -> bool:
        return self._private or self._file is not None

    def take(self, stopping: threading.Event, wait: float = WAIT) -> bool:
        import fcntl

        if self._private:
            return True
        until = time.monotonic() + wait
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        said = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = os.pread(file, 200, 0).decode(errors="replace").strip() or "unknown"
            if time.monotonic() > until:
                os.close(file)
                raise ExecutorLockTaken(self._name, holder, file=True)
            if not said:
                log.warning("slot.waiting", executor=self._name, holder=holder)
                said = True
            if stopping.wait(_LOOK):
                os.close(file)
                return False
        os.ftruncate(file, 0)
        os.pwrite(file, f"process {os.getpid()} ({self._name})\n".encode(), 0)
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)  # and with it the lock
            self._file = None


class ServerExecutorLock:
    """A session lock of PostgreSQL whose key comes from the name, taken anew when the connection was lost."""

    def __init__(self, database: Database, name: str) -> None:
        self._name = name
        self._key = int.from_bytes(hashlib.sha256(f"mpops executor {name}".encode()).digest()[:8], "big", signed=True)
        # A connection of its own: a pool would give it to others, and recycle it.
        self._engine = create_engine(
            database.url,
            hide_parameters=True,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"application_name": f"mpops {name}"[:63], "keepalives_idle": 5, "keepalives_interval": 3},
        )
        self._connection: Connection | None = None
        self._closing = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def held(self) -> bool:
        return self._connection is not None

    def take(self, stopping: threading.Event, wait: float = WAIT) -> bool:
        until = time.monotonic() + wait
        connection = self._connect()
        said = False
        while not self._lock(connection):
            holder = self._holder(connection)
            if time.monotonic() > until:
                connection.close()
                raise ExecutorLockTaken(self._name, holder, file=False)
            if not said:
                log.warning("slot.waiting", executor=self._name, holder=holder)
                said = True
            if stopping.wait(_LOOK):
                connection.close()
                return False
        self._connection = connection
        self._watcher = threading.Thread(target=self._watch, name="slot", daemon=True)
        self._watcher.start()
        return True

    def release(self) -> None:
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join(timeout=5)
        self._drop()

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        # The server gives the name free within some 11 s also when this machine loses its power or its network.
        for setting in ("tcp_keepalives_idle = 5", "tcp_keepalives_interval = 3", "tcp_keepalives_count = 2"):
            connection.execute(text(f"SET {setting}"))
        return connection

    def _lock(self, connection: Connection) -> bool:
        return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}))

    def _holder(self, connection: Connection) -> str:
        """Who has the name, as far as the server tells."""
        query = (
            "SELECT coalesce(host(client_addr), 'this machine'), to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')"
            " FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND ((classid::bigint << 32) | objid::bigint) = :key"
            " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        found = connection.execute(text(query), {"key": self._key}).first()
        return f"a process on {found[0]}, connected since {found[1]}" if found is not None else "another process"

    def _watch(self) -> None:
        asked, complained = time.monotonic(), float("-inf")
        while not self._closing.wait(_WATCH):
            if self._connection is not None:
                ask = time.monotonic() - asked > _ASK
                if ask:
                    asked = time.monotonic()
                if self._stands(self._connection, ask):
                    continue
                log.warning("slot.lost", executor=self._name)
                self._drop()
            try:
                complained = self._again(complained)
            except DBAPIError as error:
                log.warning("slot.database", executor=self._name, error=type(error).__name__)

    def _again(self, complained: float) -> float:
        """Take the name again, or say that somebody else has it; when that was said last."""
        connection = self._connect()
        try:
            if self._lock(connection):
                self._connection = connection
                log.warning("slot.taken_again", executor=self._name)
                return float("-inf")
            if time.monotonic() - complained < _COMPLAIN:
                return complained
            log.error(
                "slot.taken_by_another", executor=self._name, holder=self._holder(connection),
                do="two processes work under one name and disturb each other: stop one, give it another MPOPS_EXECUTOR",
            )  # fmt: skip
            return time.monotonic()
        finally:
            if self._connection is not connection:
                connection.close()

    @staticmethod
    def _stands(connection: Connection, ask: bool) -> bool:
        """Nobody sends anything on this connection: what can be read is its end, or a word of the server about it."""
        try:
            driver = connection.connection.driver_connection
            if driver is None or driver.closed:
                return False
            poll = select.poll()  # select() knows only small file numbers
            poll.register(driver.fileno(), select.POLLIN)
            if ask or poll.poll(0):
                connection.execute(text("SELECT 1"))
        except (DBAPIError, OSError, ValueError):
            return False
        return True

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(DBAPIError, OSError):
                connection.invalidate()
            connection.close()
