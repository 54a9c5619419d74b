"""Databases for every kind of test: each test that asks for one runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database
from tests.databases import migrated_url, postgres_url, sqlite_url
from tests.rows import SECRET


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path) -> str:
    """A new, empty database; the test runs once on each kind."""
    return sqlite_url(tmp_path) if database_kind == "sqlite" else postgres_url()


@pytest.fixture
def database(database_kind: str, tmp_path: Path) -> Iterator[Database]:
    """A new database at the newest schema, unlocked with `SECRET`; the test runs once on each kind."""
    database = Database(migrated_url(database_kind, tmp_path))
    database.unlock([SECRET])
    yield database
    database.close()
