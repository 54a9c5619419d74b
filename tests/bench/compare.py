"""This version beside an older one, in rounds that take turns: what an event, a click and a command cost each.

`python -m tests.bench.compare 7158a98 [--rounds 5] [--database sqlite|postgres|both]`. Ends with 1 where this version
needs more than 1.15 times the CPU of the older one, or more than 1.25 times its time; the median of the rounds' ratios
counts, for machines are noisy.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil  # type: ignore[import-untyped]  # publishes no types
from sqlalchemy import text

from bot.jobs.names import jobs_table
from sandbox.delivery import loopback_client
from sandbox.demo import Demo
from sandbox.feishu.state import Message
from storage.database import Database
from tests.bench import clicks
from tests.bench.command import prepare, type_commands
from tests.bench.processes import APP, until
from tests.bench.stage import POSTGRES, SQLITE, Stage
from tests.bench.table import Measured, Ratio, percentile
from tests.trees import NoHistory, older_app

_MORE_CPU, _MORE_TIME = 1.15, 1.25
# Of a round. So many events take longer than any version sleeps between two looks for jobs: all then work off the first
# ones while the last ones come in, and none is measured while it puts its work off.
_EVENTS, _COMMANDS, _CLICKS = 600, 30, 16
_PACE = 10.0  # commands a second


@dataclass
class _Version:
    """One bot with a sandbox of its own. `cost`: CPU in ms, `took`: the median in ms, one for each round."""

    demo: Demo
    database: Database
    chats: list[str] = field(default_factory=list)
    card: Message | None = None
    cost: dict[str, list[float]] = field(default_factory=dict)
    took: dict[str, list[float]] = field(default_factory=dict)

    def start(self) -> None:
        self.demo.start()
        self.chats = prepare(self.demo)
        self.card = clicks.complaint(self.demo)
        type_commands(self.demo, self.chats, _PACE, 8)  # the first ones load what is loaded late
        self.idle()

    def idle(self) -> None:
        """Until nothing that came in or goes out waits. The database says so: the page of metrics tells old numbers."""

        def look() -> bool:
            with self.database.read() as session:
                return not any(session.scalar(text(f"SELECT count(*) FROM {each}")) for each in self._waiting())

        until(look, 120, "an idle bot", every=0.2)

    def _waiting(self) -> tuple[str, ...]:
        """By the names that are stored, which all versions read."""
        jobs = jobs_table(self.database.is_sqlite)
        return (
            "inbox WHERE state = 'new'",
            "outbox WHERE state = 'waiting'",
            f"{jobs} WHERE status IN ('ENQUEUED', 'PENDING')",
        )

    def stop(self) -> None:
        self.database.close()
        self.demo.stop()

    @contextmanager
    def counted(self, what: str, count: int) -> Iterator[list[float]]:
        process, times = psutil.Process(self.demo.pid), list[float]()
        before = process.cpu_times()
        yield times
        self.idle()
        after = process.cpu_times()
        spent = (after.user - before.user) + (after.system - before.system)
        self.cost.setdefault(what, []).append(1000 * spent / count)
        for name, median_of in _by_name(what, times):
            self.took.setdefault(name, []).append(median_of)

    def round(self) -> None:
        with self.counted("event", _EVENTS) as times, loopback_client() as client:
            times += [clicks.acknowledge(client, self.demo, number) for number in range(_EVENTS)]
        with self.counted("command", _COMMANDS) as times:
            times += type_commands(self.demo, self.chats, _PACE, _COMMANDS)[0]
        assert self.card is not None
        with self.counted("click", _CLICKS) as times:
            for _ in range(_CLICKS):
                times += clicks.press(self.demo, self.card)  # the toast, then the card


def _version(stage: Stage, command: Sequence[str], kind: str, room: str) -> _Version:
    url = stage.database(kind)
    return _Version(Demo(0, command, url, stage.room(room) / "demo"), Database(url))


def _by_name(what: str, times: list[float]) -> list[tuple[str, float]]:
    if what == "click":
        return [("toast", percentile(times[::2], 0.5)), ("card after a click", percentile(times[1::2], 0.5))]
    return [({"event": "acknowledged", "command": "card after a command"}[what], percentile(times, 0.5))]


def compare(stage: Stage, older: Sequence[str], name: str, kind: str) -> Measured:
    """Ratios of this version to the older one, which `older` starts, on one sort of database."""
    found = Measured(f"compare-{kind}", f"this version beside {name}, {kind}", ("what", "older", "now"))
    versions = [
        _version(stage, older, kind, f"older-{kind}"),
        _version(stage, APP, kind, f"now-{kind}"),
    ]
    try:
        for version in versions:
            version.start()
        for number in range(stage.rounds):
            stage.progress(f"{kind}, round {number + 1}")
            for version in versions[:: -1 if number % 2 else 1]:
                version.round()
    finally:
        for version in versions:
            version.stop()
    old, now = versions
    for what, values in now.cost.items():
        found.rows.append((f"CPU ms, {what}", median(old.cost[what]), median(values)))
        ratios = tuple(new / was for new, was in zip(values, old.cost[what], strict=True))
        found.ratios.append(Ratio(f"CPU of a {what}, {kind}", ratios, _MORE_CPU, at_most=True))
    for what, values in now.took.items():
        found.rows.append((f"ms, {what}", median(old.took[what]), median(values)))
        ratios = tuple(new / was for new, was in zip(values, old.took[what], strict=True))
        found.ratios.append(Ratio(f"time, {what}, {kind}", ratios, _MORE_TIME, at_most=True))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", choices=(SQLITE, POSTGRES, "both"), default="both")
    asked = parser.parse_args()
    kinds = (SQLITE, POSTGRES) if asked.database == "both" else (asked.database,)
    with tempfile.TemporaryDirectory() as folder:
        try:
            older = older_app(asked.commit, Path(folder))
        except NoHistory as missing:
            print(missing, file=sys.stderr)  # noqa: T201  # a command
            return 1
        stage = Stage(0.0, asked.rounds, kinds, Path(folder), (0, 0), print)
        try:
            measured = [compare(stage, older, asked.commit, kind) for kind in kinds]
        finally:
            stage.close()
    for found in measured:
        print(found.table())  # noqa: T201  # a command
    return 0 if all(ratio.reached for found in measured for ratio in found.ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
