"""What a bot weighs that has worked: after commands and events, and whether more events make it heavier."""

from __future__ import annotations

from sandbox.demo import Demo
from tests.bench.command import prepare, type_commands
from tests.bench.load import run, to_demo
from tests.bench.processes import megabytes
from tests.bench.stage import Stage
from tests.bench.table import Measured, Ratio
from tests.bench.waiting import Waiting, beside

_COMMANDS, _EVENTS, _MORE = 1_000, 10_000, 20_000  # at five seconds a turn
_PACE = 20.0  # commands a second
_PIECES = 8


def measure(stage: Stage) -> Measured:
    found = Measured("memory", "resident memory of serve in use", ("what", "MB"))
    for kind in stage.databases:
        demo = stage.demo("memory", kind)
        with beside(demo) as waiting:
            _weigh(stage, kind, demo, waiting, found)
    return found


def _weigh(stage: Stage, kind: str, demo: Demo, waiting: Waiting, found: Measured) -> None:
    commands, events, more = (stage.scaled(each, 8 * _PIECES) for each in (_COMMANDS, _EVENTS, _MORE))
    waiting.until_idle()
    found.rows.append((f"started, {kind}", megabytes(demo.pid)))
    stage.progress(f"{kind}, {commands} commands")
    type_commands(demo, prepare(demo), _PACE, commands)
    stage.progress(f"{kind}, {events} events")
    _send(demo, events)
    waiting.until_idle()
    used = megabytes(demo.pid)
    found.rows.append((f"after {commands} commands and {events} events, {kind}", used))
    weights = []
    for piece in range(1, _PIECES + 1):
        stage.progress(f"{kind}, more events, {piece} of {_PIECES}")
        _send(demo, more // _PIECES)
        weights.append(megabytes(demo.pid))
        found.rows.append((f"after {piece * more // _PIECES} more events, {kind}", weights[-1]))
    grown = weights[-1] - weights[len(weights) // 2 - 1]
    found.ratios += [
        Ratio(f"in use, {kind}", (used,), 150, at_most=True, unit=" MB"),
        Ratio(f"grown over the second half of {more}, {kind}", (grown,), 2, at_most=True, unit=" MB"),
    ]


def _send(demo: Demo, count: int) -> None:
    if run(to_demo(demo, count=count)).wrong:
        raise RuntimeError("events were not taken")
