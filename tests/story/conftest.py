"""Worlds for stories, on SQLite and on PostgreSQL. A world's bot takes seconds to start, so most tests share one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.databases import drop, migrated_url
from tests.story.world import World

DATABASES = ("sqlite", "postgres")


@contextmanager
def _new_world(database: str, folder: Path) -> Iterator[World]:
    url = migrated_url("postgresql" if database == "postgres" else database, folder)
    world = World(folder / "demo", url)
    try:
        yield world
    finally:
        world.close()
        drop(url)


@pytest.fixture(scope="module", params=DATABASES)
def shared_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with _new_world(request.param, tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """The world of this module: each test brings complaints of its own into it, and leaves nothing broken."""
    shared_world.begin()
    yield shared_world
    shared_world.end()


@pytest.fixture(params=DATABASES)
def fresh_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world in which nothing has happened yet."""
    with _new_world(request.param, tmp_path) as world:
        world.begin()
        yield world
        world.end()
