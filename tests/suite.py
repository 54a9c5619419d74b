"""How the whole suite is run: which tests also run on PostgreSQL, in which order, by how many workers.

A test that takes a database is written once and runs on SQLite. On PostgreSQL too run

- those for which the database matters (races, crashes, locks, growth, upgrades): marked `both_databases`, or below one
  of the folders `BOTH`;
- those that have no twin on SQLite;
- with `--postgres=<commit>` a quarter of the others, chosen by that commit's hash, so that a few landings see all;
- with `--postgres=all` every one.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.databases import begin_run, end_run

BOTH = ("tests/unit/storage/", "tests/migrations/", "tests/faults/")
MARK = "both_databases"
TIMES = Path(__file__).with_name("times.json")
_POSTGRES = {"postgres", "postgresql"}  # as fixtures name it
_SHORT = 0.5  # seconds; files below that are not worth a line in TIMES


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        default="some",
        metavar="some|all|COMMIT",
        help="which tests run on PostgreSQL too (tests/suite.py)",
    )
    parser.addoption("--write-times", action="store_true", help="remember how long each file took, for the order")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """By waiting and not by cores: most tests wait for other processes."""
    return min(8, 2 * (os.cpu_count() or 1))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    named_one = any("[" in argument for argument in config.args)  # whoever names a variant means it
    wanted = str(config.getoption("--postgres"))
    if not named_one and wanted != "all":
        there = {item.nodeid for item in items}
        left = [
            item for item in items if _twin(item) in there and not _matters(item) and not chosen(item.nodeid, wanted)
        ]
        if left:
            config.hook.pytest_deselected(items=left)
            gone = {item.nodeid for item in left}
            items[:] = [item for item in items if item.nodeid not in gone]
    # The longest files first, so that none of them is left when the others are done. Inside a file nothing moves.
    seconds: dict[str, float] = json.loads(TIMES.read_text()) if TIMES.exists() else {}
    items.sort(key=lambda item: -seconds.get(file_of(item.nodeid), 0.0))


def file_of(nodeid: str) -> str:
    return nodeid.split("::", 1)[0]


def chosen(nodeid: str, commit: str) -> bool:
    """Whether this test is in the quarter that the commit selects; "some" selects none."""
    return commit != "some" and zlib.crc32(nodeid.encode()) % 4 == int(commit[-8:], 16) % 4


def _twin(item: pytest.Item) -> str | None:
    """The same test on SQLite; None for a test that is not on PostgreSQL."""
    callspec = getattr(item, "callspec", None)
    values = [value for value in callspec.params.values() if isinstance(value, str)] if callspec is not None else []
    for name in _POSTGRES & set(values):
        head, _, variant = item.nodeid.partition("[")
        parts = ["sqlite" if part == name else part for part in variant.rstrip("]").split("-")]
        return f"{head}[{'-'.join(parts)}]"
    return None


def _matters(item: pytest.Item) -> bool:
    return item.nodeid.startswith(BOTH) or item.get_closest_marker(MARK) is not None


class Times:
    """Adds up what the workers report; for `--write-times`."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[file_of(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        TIMES.write_text(json.dumps(dict(_longest(self._seconds.items())), indent=1) + "\n")


def _longest(files: Iterable[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    for file, seconds in sorted(files, key=lambda one: -one[1]):
        if seconds >= _SHORT:
            yield file, round(seconds, 1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}: the database matters here, so it runs on PostgreSQL each time")
    wanted = str(config.getoption("--postgres"))
    if wanted not in ("some", "all") and re.fullmatch("[0-9a-f]{8,}", wanted) is None:
        raise pytest.UsageError(f"--postgres={wanted}: some, all, or the hash of a commit")
    if _is_worker(config):
        return
    begin_run()
    if config.getoption("--write-times"):
        config.pluginmanager.register(Times())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        end_run()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
