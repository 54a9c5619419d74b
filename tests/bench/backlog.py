"""A click and a command beside ten thousand events that others sent and that wait to be worked off."""

from __future__ import annotations

import sys
import time

from tests.bench import clicks
from tests.bench.command import prepare, type_commands
from tests.bench.processes import once
from tests.bench.stage import Stage
from tests.bench.table import SPREAD, Measured, Ratio, spread
from tests.bench.waiting import beside

_OTHERS = 10_000  # at five seconds a turn
_GAP = 0.25  # seconds


def measure(stage: Stage) -> Measured:
    found = Measured(
        "backlog", "beside events of others that wait",
        ("what", *SPREAD, "others that waited, at least"),
    )  # fmt: skip
    for kind in stage.databases:
        stage.progress(kind)
        demo = stage.demo("backlog", kind)
        times: dict[str, list[float]] = {"click to its card": [], "command to its card": []}
        with beside(demo) as waiting:
            chats = prepare(demo)
            card = clicks.complaint(demo)
            type_commands(demo, chats, 10, 4)
            clicks.press(demo, card)
            waiting.until_idle()
            others = stage.scaled(_OTHERS, 200)
            once((sys.executable, "-m", "tests.bench.pile_up", str(others)), demo.environment())
            ends, fewest = time.monotonic() + stage.seconds * stage.rounds, others
            while True:
                before = waiting.inbox()
                if times["click to its card"] and (time.monotonic() > ends or before < others / 10):
                    break
                fewest = min(fewest, before)
                times["click to its card"].append(clicks.press(demo, card)[1])
                times["command to its card"] += type_commands(demo, chats, 10, 1)[0]
                time.sleep(_GAP)
        for name, values in times.items():
            found.rows.append((f"{name}, {kind}", *spread(values), fewest))
            found.ratios.append(Ratio(f"{name}, worst, {kind}", (max(values) / 1000,), 1, at_most=True, unit=" s"))
    return found
