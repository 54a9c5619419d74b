"""kill -9 of the bot anywhere between notification and finish: the end is the same, with one refund."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.moments import Randomly
from tests.faults.path import run, whole
from tests.faults.stage import Stage

pytestmark = pytest.mark.timeout(420)  # processes start and stop; a busy machine takes its time


CALLS = 40  # what the bot calls on the path of one complaint, about
STEP = 10


def test_killed_around_calls(tmp_path: Path, database: str, chance: random.Random) -> None:
    """Before a call takes effect, and between its effect and its answer: where no answer tells what happened."""
    first = chance.randrange(1, STEP + 1)
    points = range(first, CALLS * 2, STEP)
    after = {point for point in points if chance.random() < 0.7}
    with Stage(tmp_path / "stage", database) as stage:
        stage.moments.choose(stage.strike, before=set(points) - after, after=after)
        staff = run(stage, chance)
        whole(stage, staff)
        assert len(stage.strikes) >= 3
        verdict = stage.cli("audit", "verify")
        assert verdict.returncode == 0, verdict.stderr


def test_killed_at_random_moments(tmp_path: Path, database: str, chance: random.Random) -> None:
    """Also while it is starting, and again before it was ready."""
    with Stage(tmp_path / "stage", database) as stage:
        with Randomly(chance, stage.strike, times=3, between=(0.1, 2.5)):
            staff = run(stage, chance, complaints=2)
        whole(stage, staff)
