"""Engines and units of work, the same on a SQLite file and on PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import structlog
from sqlalchemy import Connection, Engine, Select, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker
from sqlalchemy.pool import NullPool

from storage.column_types import attach_vault
from storage.keys import open_vault, read_keys
from storage.private_files import make_file, make_folder, narrow, of_database
from storage.vault import Keys, Vault, VaultError

if TYPE_CHECKING:
    import psycopg

log = structlog.get_logger("database")

_MIGRATION_LOCK = 7_262_001  # any number, the same in every version
_CHECKED = 256 * 1024 * 1024  # bytes; a larger SQLite file would take seconds to read through at every start
# A process that stands still in the middle of a transaction (its machine is paused, or gone) holds locks that all the
# others wait for. The server ends that transaction after half a minute; nothing of ours computes for so long in one.
_SERVER = (
    "SET idle_in_transaction_session_timeout = '30s';"
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
)
# And a server that is gone without a word is noticed by the client as soon; milliseconds for the last one.
_LINE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
_LISTENS = {**_LINE, "autocommit": True, "connect_timeout": 5, "application_name": "mpops listens"}
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Damaged(Exception):
    """The SQLite file does not hold together, or is no SQLite file; nothing was changed in it."""


def _is_damage(error: BaseException | None) -> bool:
    while error is not None:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE:
            return True
        error = getattr(error, "orig", None)
    return False


def _milliseconds_clock(connection: Any) -> None:
    """Give SQLite a sub-second clock where the engine asks for one.

    Below Python 3.12 DBOS reads `strftime('%s','now')`, which counts whole seconds; its rate limits and its order
    within a second then fail (docs/decisions/0001-dbos-as-engine.md). Nothing else of `strftime` is used here.
    """

    def strftime(*args: str) -> str:
        if args != ("%s", "now"):
            raise ValueError("only strftime('%s','now') is known here")
        return f"{time.time():.3f}"

    connection.create_function("strftime", -1, strftime)


def _tune_sqlite(engine: Engine, begin: str, *, read_only: bool = False) -> None:
    """`begin`: the statement that opens a transaction; "" leaves that to the driver, as DBOS wants it."""

    @event.listens_for(engine, "do_connect")
    def connecting(dialect: object, record: object, arguments: list[Any], options: dict[str, Any]) -> None:
        if arguments and arguments[0] != ":memory:":
            make_file(Path(arguments[0]))

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged event survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()
        _milliseconds_clock(connection)
        if not begin:
            connection.isolation_level = "IMMEDIATE"

    if begin:

        @event.listens_for(engine, "begin")
        def begun(connection: Connection) -> None:
            connection.exec_driver_sql(begin)


def _without_lock(look: ORMExecuteState) -> None:
    """Rows are looked at by the same code that changes them, and that asks for a lock; whoever looks needs none."""
    statement = look.statement
    if isinstance(statement, Select) and statement._for_update_arg is not None:
        look.statement = statement = statement._generate()
        statement._for_update_arg = None


def _engine(url: URL, **options: Any) -> Engine:
    # Parameters stay out of error texts, and so out of the log: they may be somebody's words or phone number.
    return create_engine(url, hide_parameters=True, **options)


def _server_engine(url: URL, **options: Any) -> Engine:
    """For connections to PostgreSQL that are kept."""
    engine = _engine(url, pool_recycle=300, connect_args=_LINE, **options)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: object) -> None:
        connection.execute(_SERVER)
        connection.commit()

    return engine


class Database:
    """One database of one deployment.

    On SQLite there is one writing connection, so that writers queue inside the process instead of fighting over the
    file; readers have their own. On PostgreSQL both are the same pool.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url: URL = make_url(url)
        if self.url.drivername in ("postgresql", "postgres"):
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if self.file is not None:
                make_folder(self.file.parent)
            arguments = {"check_same_thread": False}
            self.writer = _engine(self.url, pool_size=1, max_overflow=0, pool_timeout=60, connect_args=arguments)
            self.reader = _engine(self.url, pool_size=8, max_overflow=8, connect_args=arguments)
            self._system_pool = 50  # fewer can deadlock with a held write lock: docs/decisions/0001-dbos-as-engine.md
            # A deferred transaction that reads first and then writes fails under load: see there.
            _tune_sqlite(self.writer, "BEGIN IMMEDIATE")
            _tune_sqlite(self.reader, "BEGIN", read_only=True)
        else:
            self.writer = _server_engine(self.url, pool_size=pool_size, max_overflow=pool_size)
            self.reader = self.writer
            self._system_pool = 30
        self._write_sessions = sessionmaker(self.writer, expire_on_commit=False)
        self._read_sessions = sessionmaker(self.reader, expire_on_commit=False, autoflush=False)
        event.listen(self._read_sessions, "do_orm_execute", _without_lock)
        self._system: Engine | None = None
        self._vault: Vault | None = None

    @property
    def file(self) -> Path | None:
        """Where SQLite keeps it; None in memory, and on a server."""
        name = self.url.database if self.is_sqlite else None
        return Path(name) if name and name != ":memory:" else None

    def keep_private(self) -> None:
        """Take the rights of others away that an older version or a copy left on our files."""
        for file in of_database(self.file) if self.file is not None else ():
            if narrow(file):
                log.warning("database.narrowed", file=file.name)

    @property
    def vault(self) -> Vault:
        if self._vault is None:
            raise RuntimeError("the database was not unlocked: call Database.unlock first")
        return self._vault

    @property
    def system(self) -> Engine:
        """The connections that the engine of `bot.jobs.engine` keeps for itself, on the same database."""
        if self._system is None:
            if self.is_sqlite:
                arguments = {"check_same_thread": False}
                self._system = _engine(self.url, pool_size=self._system_pool, max_overflow=0, connect_args=arguments)
                _tune_sqlite(self._system, "")
            else:
                self._system = _server_engine(self.url, pool_size=self._system_pool, max_overflow=0)
        return self._system

    def line(self) -> psycopg.Connection[Any]:
        """A connection to the server beside the pools, for what listens; each statement is a transaction of its own."""
        dialect = self.writer.dialect
        arguments, options = dialect.create_connect_args(self.url)
        return cast("psycopg.Connection[Any]", dialect.connect(*arguments, **options, **_LISTENS))

    @property
    def is_there(self) -> bool:
        """Whether there is anything to connect to; connecting to a SQLite file that is not there makes it."""
        return self.file.is_file() if self.file is not None else not self.is_sqlite

    def unreachable(self) -> str | None:
        """Why the server cannot be reached, in its driver's words; None when it can, or where there is no server."""
        if self.is_sqlite:
            return None
        try:
            with self.reader.connect():
                return None
        except OperationalError as error:
            return " ".join(str(error.orig).split())[:300]

    def check(self) -> None:
        """Look whether a SQLite file holds together. Raises Damaged."""
        file = self.file
        if file is None:
            return
        try:
            with self.reader.connect() as connection:
                small = file.is_file() and file.stat().st_size <= _CHECKED
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() if small else "ok"
        except (DatabaseError, sqlite3.DatabaseError) as error:
            if _is_damage(error):
                raise Damaged(file.name) from error
            raise
        if found != "ok":
            raise Damaged(file.name)

    def unlock(self, secrets: Sequence[str]) -> None:
        """Open the vault with the secret keys (current first). The schema must be there."""
        with self.exclusive() as connection:
            self._vault = open_vault(connection, secrets)
        for engine in (self.writer, self.reader):
            attach_vault(engine.dialect, self._vault)
        self._vault.follow(lambda: self._current_keys(secrets))

    def _current_keys(self, secrets: Sequence[str]) -> Keys | None:
        """The data keys, over a connection of their own: the asking thread may hold any of the others."""
        arguments = {"check_same_thread": False} if self.is_sqlite else {"connect_timeout": 5}
        engine = _engine(self.url, poolclass=NullPool, connect_args=arguments)
        if self.is_sqlite:
            _tune_sqlite(engine, "BEGIN", read_only=True)
        try:
            with engine.connect() as connection:
                if not self.is_sqlite:
                    connection.exec_driver_sql("SET LOCAL lock_timeout = '3s'")
                return read_keys(connection, secrets)
        except (SQLAlchemyError, VaultError):
            return None  # what is known goes on being used; a value of an unknown key is refused by the vault
        finally:
            engine.dispose()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: all of it is committed, or nothing. Never hold it across a call to the outside."""
        with self._write_sessions.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent look that changes nothing, locks nothing and waits for nobody."""
        with self._read_sessions() as session:
            yield session  # closing rolls back; what was loaded stays readable

    @contextmanager
    def exclusive(self) -> Iterator[Connection]:
        """A transaction that no other process has at the same time: for migrations and keys."""
        with self.writer.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            yield connection

    def close(self) -> None:
        self.writer.dispose()
        self.reader.dispose()
        if self._system is not None:
            self._system.dispose()
