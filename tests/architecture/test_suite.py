"""How the suite chooses and orders its tests (tests/suite.py): nothing is left out for good, and nothing by mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.suite import TIMES, chosen

ROOT = Path(__file__).resolve().parents[2]
IDS = [f"tests/story/test_x.py::test_{number}[postgres]" for number in range(400)]
COMMITS = [f"7158a98{'0' * 32}{digit}" for digit in "0123"]


def collected(postgres: str, *names: str) -> list[str]:
    asked = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-o", "addopts=", "-p", "no:cacheprovider",
         f"--postgres={postgres}", *names],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line for line in asked.stdout.splitlines() if "::" in line]


def test_four_landings_in_a_row_of_hashes_see_every_test_once() -> None:
    seen = [[name for name in IDS if chosen(name, commit)] for commit in COMMITS]
    assert sorted(name for some in seen for name in some) == sorted(IDS)
    assert all(60 <= len(some) <= 140 for some in seen)
    assert not any(chosen(name, "some") for name in IDS)


def test_on_postgres_run_those_that_are_marked_and_those_without_a_twin() -> None:
    stories, bench = "tests/story/test_approvals.py", "tests/bench/test_bench.py"
    every, some = collected("all", stories, bench), collected("some", stories, bench)
    assert [name for name in some if "sqlite" in name] == [name for name in every if "sqlite" in name]
    for name, runs in (
        (f"{stories}::test_two_people_claim_at_once[postgres]", True),
        (f"{stories}::test_rejecting_needs_a_reason[postgres]", False),
        (f"{bench}::test_every_bench_finds_figures[growth-postgres]", True),
    ):
        assert name in every
        assert (name in some) is runs, name


def test_whoever_names_one_variant_gets_it() -> None:
    one = "tests/story/test_approvals.py::test_rejecting_needs_a_reason[postgres]"
    assert collected("some", one) == [one]


def test_the_longest_files_come_first_and_all_of_them_are_there() -> None:
    seconds = json.loads(TIMES.read_text())
    assert list(seconds.values()) == sorted(seconds.values(), reverse=True)
    gone = [name for name in seconds if not (ROOT / name).is_file()]
    assert gone == [], "run `make test TIMES=--write-times`"
    first, last = next(iter(seconds)), list(seconds)[-1]
    order = [name.split("::")[0] for name in collected("some", last, first)]
    assert (order[0], order[-1]) == (first, last)


@pytest.mark.parametrize("wrong", ["", "nonsense"])
def test_what_is_no_commit_is_refused(wrong: str) -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", f"--postgres={wrong}", "tests/unit/texts"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 4
    assert "--postgres" in asked.stderr
