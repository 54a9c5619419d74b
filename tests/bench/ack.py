"""Events acknowledged: ours, stored before the answer, beside the SDK's handler that stores nothing."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass

from sandbox.ports import free_port
from tests.bench.load import WARM_UP, Load, Outcome, run
from tests.bench.processes import APP, Program, cpu_seconds, environment, once
from tests.bench.stage import Stage
from tests.bench.table import Measured, Ratio, percentile

SDK = "SDK, nothing stored"
_KEY, _TOKEN = "a key of the bench", "a token of the bench"
KEYS = {"MPOPS_FEISHU__ENCRYPT_KEY": _KEY, "MPOPS_FEISHU__VERIFICATION_TOKEN": _TOKEN}
_PACES = (0.0, 50.0, 100.0)  # events a second; 0: as fast as answers come, on 16 connections


@dataclass(frozen=True, slots=True)
class _Turn:
    outcome: Outcome
    cpu: float  # ms of the server's process for one event, warm-up counted in both

    @property
    def p99(self) -> float:
        return percentile(self.outcome.latencies, 0.99)


def measure(stage: Stage) -> Measured:
    found = Measured(
        "ack", "events acknowledged (encrypted, signed, distinct; waitress, 8 threads)",
        ("what", "load", "answered/s", "p50 ms", "p99 ms", "worst ms", "CPU ms/event", "wrong"),
    )  # fmt: skip
    with ExitStack() as running:
        sdk = (sys.executable, "-m", "tests.bench.sdk_server")
        servers = {SDK: running.enter_context(_program(stage, sdk, "sdk", ""))}
        for kind in stage.databases:
            database = stage.database(kind)
            once((*APP, "migrate"), environment(database, 1))  # a process that only accepts makes no tables
            program = _program(stage, (*APP, "serve", "--web-only"), kind, database)
            servers[f"ours on {kind}"] = running.enter_context(program)
        turns = _in_turns(stage, servers)
    for pace in _PACES:
        for name in servers:
            found.rows.append(_row(name, pace, turns[name, pace]))
    for name in list(servers)[1:]:
        pairs = list(zip(turns[name, 0.0], turns[SDK, 0.0], strict=True))
        rates = tuple(ours.outcome.per_second / theirs.outcome.per_second for ours, theirs in pairs)
        costs = tuple(ours.cpu / theirs.cpu for ours, theirs in pairs)
        worst = max(turn.p99 for pace in _PACES for turn in turns[name, pace])
        found.ratios += [
            Ratio(f"{name}, events/s / the SDK's", rates, 1.0),
            Ratio(f"{name}, CPU of an event / the SDK's", costs, 1.0, at_most=True),
            Ratio(f"{name}, highest p99 of any turn", (worst / 1000,), 1.0, at_most=True, unit=" s"),
        ]
    found.notes.append("CPU is that of the process which answers; PostgreSQL's own is not in it")
    return found


def _program(stage: Stage, command: tuple[str, ...], name: str, database: str) -> Program:
    port = free_port()
    ready = f"http://127.0.0.1:{port}/readyz"
    return Program(command, stage.room("ack") / f"{name}.log", environment(database, port, **KEYS), ready)


def _in_turns(stage: Stage, servers: dict[str, Program]) -> dict[tuple[str, float], list[_Turn]]:
    turns: dict[tuple[str, float], list[_Turn]] = {(name, pace): [] for name in servers for pace in _PACES}
    for number in range(stage.rounds):
        for pace in _PACES:
            # Whoever is last in one round is first in the next.
            for name in sorted(servers, reverse=bool(number % 2)):
                stage.progress(f"round {number + 1}, {_load(pace)}, {name}")
                turns[name, pace].append(_turn(servers[name], stage.seconds, pace))
    return turns


def _turn(server: Program, seconds: float, pace: float) -> _Turn:
    port = int(server.setting("MPOPS_HTTP__PORT"))
    before = cpu_seconds(server.pid)
    outcome = run(Load(port, "/feishu/events", _KEY, _TOKEN, seconds, pace, connections=24 if pace else 16))
    used = cpu_seconds(server.pid) - before
    return _Turn(outcome, used * 1000 / (len(outcome.latencies) + outcome.wrong + WARM_UP))


def _load(pace: float) -> str:
    return f"{pace:.0f}/s open loop" if pace else "16 at once, closed loop"


def _row(name: str, pace: float, turns: list[_Turn]) -> tuple[str | float, ...]:
    every = [latency for turn in turns for latency in turn.outcome.latencies]
    rate = len(every) / sum(turn.outcome.seconds for turn in turns)
    wrong = sum(turn.outcome.wrong for turn in turns)
    cpu = percentile([turn.cpu for turn in turns], 0.5)
    p50, p99, worst = percentile(every, 0.5), percentile(every, 0.99), max(every, default=float("nan"))
    return name, _load(pace), rate, p50, p99, worst, cpu, wrong
