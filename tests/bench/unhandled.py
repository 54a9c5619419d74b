"""Events that nobody handles, as most of what is said in groups: sent as fast as they are answered, until settled."""

from __future__ import annotations

import time

from tests.bench.load import run, to_demo
from tests.bench.processes import cpu_seconds
from tests.bench.stage import Stage
from tests.bench.table import Measured, Ratio, percentile
from tests.bench.waiting import beside


def measure(stage: Stage) -> Measured:
    found = Measured(
        "unhandled", "group messages that are not for the bot, to serve, 16 connections",
        ("what", "events", "settled/s", "CPU ms/event", "p95 ms", "left when answered"),
    )  # fmt: skip
    for kind in stage.databases:
        demo = stage.demo("unhandled", kind)
        rates: list[float] = []
        with beside(demo) as waiting:
            waiting.until_idle()
            for turn in range(stage.rounds):
                stage.progress(f"{kind}, round {turn + 1}")
                before = cpu_seconds(demo.pid)
                outcome = run(to_demo(demo, stage.seconds))
                left, drained = waiting.inbox(), time.perf_counter()
                waiting.until_idle(every=0.05)
                seconds = outcome.seconds + (time.perf_counter() - drained if left else 0.0)
                count = len(outcome.latencies)
                rates.append(count / seconds)
                cpu = 1000 * (cpu_seconds(demo.pid) - before) / count
                found.rows.append((kind, count, rates[-1], cpu, percentile(outcome.latencies, 0.95), left))
        found.ratios.append(Ratio(f"settled a second, {kind}", tuple(rates), 1000, unit="/s"))
    found.notes.append("they are settled as they are stored, so nothing is left when the last one is answered")
    return found
