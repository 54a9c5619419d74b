"""Each measurement runs for a moment, so that none of them rots. What it finds is of no interest here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.processes import APP, ROOT, environment
from tests.bench.run import LONG, NAMES, bench
from tests.bench.table import Measured, Ratio, percentile


@pytest.mark.parametrize(
    ("name", "database"),
    [
        ("start", "sqlite"),
        ("idle", "postgres"),
        ("ack", "sqlite"),
        ("unhandled", "sqlite"),
        ("click", "sqlite"),
        ("crowd", "sqlite"),
        ("command", "sqlite"),
        ("backlog", "sqlite"),
        ("pushes", "sqlite"),
        ("memory", "sqlite"),
        ("outbox", "sqlite"),
        ("sync", "sqlite"),
        ("replicas", "postgres"),
        ("growth", "postgres"),
    ],
)
def test_every_bench_finds_figures(name: str, database: str, tmp_path: Path) -> None:
    said: list[str] = []
    (found,) = bench(
        [name], seconds=0.3, rounds=1, database=database, complaints=(200, 400), folder=tmp_path, say=said.append
    )
    assert found.ratios
    assert all(math.isfinite(ratio.value) for ratio in found.ratios), found.table()
    written = json.loads((tmp_path / f"{name}.json").read_text())
    assert [list(row) for row in written["rows"]] == [list(found.columns)] * len(found.rows)
    assert f"== {name}:" in said[-1]


def test_a_table_says_which_goals_are_reached() -> None:
    found = Measured("x", "a title", ("what", "ms"), [("投诉", 12.345), ("b", float("nan"))])
    found.ratios = [Ratio("fast", (2.0, 1.0, 3.0), 1.5), Ratio("small", (2.0,), 1.0, at_most=True)]
    lines = found.table().splitlines()
    assert lines[3] == "  投诉  12.3"
    assert lines[4] == "  b        -"
    assert lines[5] == "  fast: 2.00x [1.00 … 3.00], goal at least 1.5x: reached"
    assert lines[6] == "  small: 2.00x, goal at most 1x: NOT reached"
    assert percentile([3, 1, 2], 0.5) == 2


def test_the_command_names_the_benches_there_are(tmp_path: Path) -> None:
    asked = subprocess.run(
        [*APP, "bench", "nonsense"], env=environment("", 1), capture_output=True, text=True, check=False
    )
    assert asked.returncode == 1
    assert asked.stderr.strip() == f"Error: there is no bench 'nonsense'; there are: {' '.join(NAMES + LONG)}"

    # As installed without the tests: a plain sentence, no traceback.
    alone = tmp_path / "app.py"
    alone.write_text(Path(APP[1]).read_text())
    for package in ("adapters", "bot", "handlers", "storage"):
        (tmp_path / package).symlink_to(ROOT / package)
    asked = subprocess.run([sys.executable, str(alone), "bench"], capture_output=True, text=True, check=False)
    assert asked.returncode == 1
    assert "make bench" in asked.stderr
    assert "Traceback" not in asked.stderr
