"""One bot that sends its traces to a collector of ours, for all tests here."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from tests.seeing.collector import Collector
from tests.story.world import World

HAS_OTEL = importlib.util.find_spec("opentelemetry") is not None and (
    importlib.util.find_spec("opentelemetry.exporter") is not None
)


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector | None]:
    if not HAS_OTEL:
        yield None
        return
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture(scope="package")
def seen_world(tmp_path_factory: pytest.TempPathFactory, collector: Collector | None) -> Iterator[World]:
    settings = {"MPOPS_OTEL__ENDPOINT": collector.url} if collector is not None else {}
    world = World(tmp_path_factory.mktemp("seeing") / "demo", "", **settings)
    yield world
    world.close()


@pytest.fixture
def world(seen_world: World) -> Iterator[World]:
    seen_world.begin()
    yield seen_world
    seen_world.end()
