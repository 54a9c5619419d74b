"""This version beside an older one, in rounds that take turns: what an event, a click, a command and rest cost.

`python -m tests.bench.compare 7158a98 [--rounds 5] [--database sqlite|postgres|both] [--crowd 2000]`. Ends with 1
where this version needs more than 1.15 times the CPU of the older one, or more than 1.25 times its time; the median of
the rounds' ratios counts, for machines are noisy.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil  # type: ignore[import-untyped]  # publishes no types

from sandbox.delivery import loopback_client
from sandbox.demo import Demo
from sandbox.feishu.state import Message
from storage.database import Database
from tests.bench import clicks
from tests.bench.command import prepare, type_commands
from tests.bench.idle import share
from tests.bench.load import run, to_demo
from tests.bench.processes import APP
from tests.bench.stage import POSTGRES, SQLITE, Stage
from tests.bench.table import Measured, Ratio, percentile
from tests.bench.waiting import Waiting
from tests.trees import NoHistory, older_app

_MORE_CPU, _MORE_TIME = 1.15, 1.25
# Of a round. So many events take longer than any version sleeps between two looks for jobs: all then work off the first
# ones while the last ones come in, and none is measured while it puts its work off.
_EVENTS, _COMMANDS, _CLICKS = 600, 30, 16
_PACE = 5.0  # commands a second
_REST = 5.0  # seconds


@dataclass
class _Version:
    """One bot with a sandbox of its own; one figure for each round.

    `cost`: CPU in ms, `took`: the median in ms, `rest`: percent of a core, `settled`: events a second.
    """

    demo: Demo
    database: Database
    crowd: int  # events that are sent at once
    chats: list[str] = field(default_factory=list)
    card: Message | None = None
    cost: dict[str, list[float]] = field(default_factory=dict)
    took: dict[str, list[float]] = field(default_factory=dict)
    rest: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.demo.start()
        self.chats = prepare(self.demo)
        self.card = clicks.complaint(self.demo)
        type_commands(self.demo, self.chats, _PACE, 8)  # the first ones load what is loaded late
        self.idle()

    def idle(self, every: float = 0.2) -> None:
        Waiting(self.database).until_idle(60 + self.crowd / 10, every)

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
        self.rest.append(share(self.demo.pid, _REST))
        sent = run(to_demo(self.demo, count=self.crowd))
        left = time.perf_counter()
        self.idle(every=0.02)
        # The generator makes its events before it sends them; that is not the bot's time.
        self.settled.append(len(sent.latencies) / (sent.seconds + time.perf_counter() - left))
        with self.counted("event", _EVENTS) as times, loopback_client() as client:
            times += [clicks.acknowledge(client, self.demo, number) for number in range(_EVENTS)]
        with self.counted("command", _COMMANDS) as times:
            times += type_commands(self.demo, self.chats, _PACE, _COMMANDS)[0]
        assert self.card is not None
        with self.counted("click", _CLICKS) as times:
            for _ in range(_CLICKS):
                times += clicks.press(self.demo, self.card)  # the toast, then the card


def _version(stage: Stage, command: Sequence[str], kind: str, room: str, crowd: int) -> _Version:
    url = stage.database(kind)
    return _Version(Demo(0, command, url, stage.room(room) / "demo"), Database(url), crowd)


def _by_name(what: str, times: list[float]) -> list[tuple[str, float]]:
    if what == "click":
        return [("toast", percentile(times[::2], 0.5)), ("card after a click", percentile(times[1::2], 0.5))]
    return [({"event": "acknowledged", "command": "card after a command"}[what], percentile(times, 0.5))]


def compare(stage: Stage, older: Sequence[str], name: str, kind: str, crowd: int) -> Measured:
    """Ratios of this version to the older one, which `older` starts, on one sort of database."""
    found = Measured(f"compare-{kind}", f"this version beside {name}, {kind}", ("what", "older", "now"))
    versions = [
        _version(stage, older, kind, f"older-{kind}", crowd),
        _version(stage, APP, kind, f"now-{kind}", crowd),
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
    for what, was, new in (("% of a core, idle", old.rest, now.rest), ("events settled/s", old.settled, now.settled)):
        found.rows.append((what, median(was), median(new)))
    rest = tuple(new / was for new, was in zip(now.rest, old.rest, strict=True))
    settled = tuple(was / new for new, was in zip(now.settled, old.settled, strict=True))
    found.ratios += [
        Ratio(f"CPU at rest, {kind}", rest, _MORE_CPU, at_most=True),
        Ratio(f"time, an event settled, {kind}", settled, _MORE_TIME, at_most=True),
    ]
    for what, values in now.took.items():
        found.rows.append((f"ms, {what}", median(old.took[what]), median(values)))
        ratios = tuple(new / was for new, was in zip(values, old.took[what], strict=True))
        found.ratios.append(Ratio(f"time, {what}, {kind}", ratios, _MORE_TIME, at_most=True))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--crowd", type=int, default=2000, help="events that nobody handles, sent at once")
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
            measured = [compare(stage, older, asked.commit, kind, asked.crowd) for kind in kinds]
        finally:
            stage.close()
    for found in measured:
        print(found.table())  # noqa: T201  # a command
    return 0 if all(ratio.reached for found in measured for ratio in found.ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
