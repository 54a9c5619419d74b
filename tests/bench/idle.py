"""What a bot costs that nobody asks for anything: processor time of the one process that runs everything."""

from __future__ import annotations

import time

from tests.bench.processes import cpu_seconds, megabytes
from tests.bench.stage import Stage
from tests.bench.table import Measured, Ratio
from tests.bench.waiting import beside

_SETTLE = 12.0  # seconds: what a start still has to do is over, and what happens every ten seconds has happened


def measure(stage: Stage) -> Measured:
    found = Measured("idle", "serve, with the demo's company, left alone", ("what", "% of a core", "memory MB"))
    for kind in stage.databases:
        stage.progress(kind)
        demo = stage.demo("idle", kind)
        with beside(demo) as waiting:
            waiting.until_idle()
            time.sleep(min(_SETTLE, 4 * stage.seconds))
            shares = [share(demo.pid, max(1.0, 2 * stage.seconds)) for _ in range(stage.rounds)]
            memory = megabytes(demo.pid)
        for each in shares:
            found.rows.append((f"idle, {kind}", each, memory))
        found.ratios.append(Ratio(f"idle, {kind}", tuple(shares), 3, at_most=True, unit=" %"))
    return found


def share(pid: int, seconds: float) -> float:
    """Percent of a core that a process takes for so long."""
    before, started = cpu_seconds(pid), time.perf_counter()
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - before) / (time.perf_counter() - started)
