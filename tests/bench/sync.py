"""Complaints a second that are brought together with what is known of them, the network left out."""

from __future__ import annotations

import json
import sys

from tests.bench.processes import environment, once
from tests.bench.stage import SQLITE, Stage
from tests.bench.table import Measured, Ratio, percentile

_GOALS = {SQLITE: 500.0}
_GOAL = 1000.0
_PARTS = {
    "new": "new: sealed, history of 4, deadlines, audit, card",
    "known": "read again, nothing new",
    "polled": "in a list, nothing new",
}


def measure(stage: Stage) -> Measured:
    found = Measured(
        "sync", "complaints a second from what the channel told to the decision about their card",
        ("what", "complaints", "a second", "ms each"),
    )  # fmt: skip
    count = max(20, int(100 * stage.seconds))
    rates: dict[tuple[str, str], list[float]] = {}
    for turn in range(stage.rounds):
        # Whoever is last in one round is first in the next.
        for kind in stage.databases[:: -1 if turn % 2 else 1]:
            stage.progress(f"round {turn + 1}, {kind}")
            settings = environment(stage.database(kind), 1)
            told = json.loads(once((sys.executable, "-m", "tests.bench.sync_work", str(count)), settings))
            for part in _PARTS:
                rates.setdefault((part, kind), []).append(float(told[part]))
    for (part, kind), values in sorted(rates.items()):
        rate = percentile(values, 0.5)
        found.rows.append((f"{_PARTS[part]}, {kind}", count, rate, 1000 / rate))
        found.ratios.append(Ratio(f"{part} a second, {kind}", tuple(values), _GOALS.get(kind, _GOAL), unit="/s"))
    found.notes.append("one process, one transaction a complaint; the channel itself allows far fewer calls a second")
    return found
