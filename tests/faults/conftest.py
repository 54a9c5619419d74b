"""Seeds and databases. `MPOPS_FAULTS_SEED` repeats a run; without it the seed is that of the day."""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Iterator

import pytest

from tests.faults.postgres import Postgres


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """What happens by chance in this test; pytest shows the seed when the test fails."""
    base = int(os.environ.get("MPOPS_FAULTS_SEED", "1"))
    seed = base * 1000 + zlib.crc32(request.node.name.encode()) % 1000
    print(f"MPOPS_FAULTS_SEED={base} (this test: {seed})")  # noqa: T201
    return random.Random(seed)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The address of an empty database; "" for a SQLite file in the stage's folder."""
    if request.param == "sqlite":
        return ""
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()
