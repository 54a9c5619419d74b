"""Databases for every kind of test: each test that asks for one runs on SQLite, and where tests/suite.py says so on
PostgreSQL too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo import Demo
from storage.database import Database
from tests import log_secrets
from tests.databases import drop, migrated_url, postgres_url, sqlite_url
from tests.rows import SECRET
from tests.suite import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_unconfigure,
    pytest_xdist_auto_num_workers,
)

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_unconfigure",
    "pytest_xdist_auto_num_workers",
]

# What helpers assert is told as fully as what tests do.
pytest.register_assert_rewrite(*(f"tests.{each.name}" for each in Path(__file__).parent.iterdir() if each.is_dir()))

# The tests start hundreds of processes: they need not compile the same sources again and again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Whoever starts a bot beside the sandbox has its log searched at the end.
Demo.witnesses.append(log_secrets.judge)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """A new, empty database; the test runs once on each kind."""
    url = sqlite_url(tmp_path) if database_kind == "sqlite" else postgres_url()
    yield url
    drop(url)


@pytest.fixture
def database(database_kind: str, tmp_path: Path) -> Iterator[Database]:
    """A new database at the newest schema, unlocked with `SECRET`; the test runs once on each kind."""
    url = migrated_url(database_kind, tmp_path)
    database = Database(url)
    database.unlock([SECRET])
    yield database
    database.close()
    drop(url)
