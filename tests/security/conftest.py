"""One bot for all attacks: what one of them leaves behind, the next one meets.

`MPOPS_FUZZ_EXAMPLES=2000` makes a long run of new examples; `MPOPS_FUZZ_DATABASE=postgres` takes PostgreSQL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.databases import postgres_url
from tests.security.attacked import Attacked
from tests.story.world import World


@pytest.fixture(scope="package")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    database = postgres_url() if os.environ.get("MPOPS_FUZZ_DATABASE") == "postgres" else ""
    # At DEBUG, because what a log may not hold it may not hold at any level.
    world = World(tmp_path_factory.mktemp("besieged") / "demo", database, MPOPS_LOG_LEVEL="DEBUG")
    world.begin()
    try:
        world.claimed()  # everything that is loaded late is loaded
        yield Attacked(world)
        if any(line["event"] == "outbox.failed" for line in world.log.lines()):
            world.expects_errors("outbox.failed")  # the answer to a made-up person; Feishu says that there is none
        world.end()
    finally:
        world.close()


@pytest.fixture(scope="module")
def bot(besieged: Attacked) -> Iterator[Attacked]:
    """The bot; after the attacks of a module it has to work as before."""
    yield besieged
    besieged.still_works()
