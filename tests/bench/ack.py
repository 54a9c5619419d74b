"""Events acknowledged: ours, stored before the answer, beside the SDK's handler that stores nothing."""

from __future__ import annotations

import sys
from contextlib import ExitStack

from tests.bench.load import Load, Outcome, run
from tests.bench.processes import APP, Program, environment, free_port
from tests.bench.stage import Stage
from tests.bench.table import Measured, Ratio, percentile

SDK = "SDK, nothing stored"
_KEYS = {"MPOPS_FEISHU__ENCRYPT_KEY": "a key of the bench", "MPOPS_FEISHU__VERIFICATION_TOKEN": "a token of the bench"}
_PACES = (0.0, 50.0, 100.0)  # events a second; 0: as fast as answers come, on 16 connections


def measure(stage: Stage) -> Measured:
    found = Measured(
        "ack", "events acknowledged (encrypted, signed, distinct; waitress, 8 threads)",
        ("what", "load", "answered/s", "p50 ms", "p99 ms", "worst ms", "wrong"),
    )  # fmt: skip
    with ExitStack() as running:
        ports = {SDK: free_port()}
        sdk = (sys.executable, "-m", "tests.bench.sdk_server")
        running.enter_context(_program(stage, sdk, SDK, ports[SDK], ""))
        for kind in stage.databases:
            ports[f"ours on {kind}"] = port = free_port()
            command = (*APP, "serve", "--web-only")
            running.enter_context(_program(stage, command, kind, port, stage.database(kind)))
        outcomes = _in_turns(stage, ports)
    for pace in _PACES:
        for name in ports:
            found.rows.append(_row(name, pace, outcomes[name, pace]))
    for name in ports:
        if name == SDK:
            continue
        pairs = zip(outcomes[name, 0.0], outcomes[SDK, 0.0], strict=True)
        found.ratios.append(
            Ratio(f"{name}, durable, against the SDK's events/s", tuple(a.per_second / b.per_second for a, b in pairs), 1.0)
        )
        worst = max(percentile(each.latencies, 0.99) for pace in _PACES for each in outcomes[name, pace])
        found.ratios.append(Ratio(f"{name}, highest p99 of any turn", (worst / 1000,), 1.0, at_most=True, unit=" s"))
    return found


def _program(stage: Stage, command: tuple[str, ...], name: str, port: int, database: str) -> Program:
    log = stage.room("ack") / f"{name.partition(',')[0]}.log"
    return Program(command, log, environment(database, port, **_KEYS), f"http://127.0.0.1:{port}/readyz")


def _in_turns(stage: Stage, ports: dict[str, int]) -> dict[tuple[str, float], list[Outcome]]:
    outcomes: dict[tuple[str, float], list[Outcome]] = {(name, pace): [] for name in ports for pace in _PACES}
    for turn in range(stage.rounds):
        for pace in _PACES:
            # Whoever is last in one round is first in the next.
            for name in sorted(ports, reverse=bool(turn % 2)):
                stage.progress(f"round {turn + 1}, {_load(pace)}, {name}")
                key, token = _KEYS.values()
                load = Load(
                    ports[name], "/feishu/events", key, token, stage.seconds, pace, connections=24 if pace else 16
                )
                outcomes[name, pace].append(run(load))
    return outcomes


def _load(pace: float) -> str:
    return f"{pace:.0f}/s open loop" if pace else "16 at once, closed loop"


def _row(name: str, pace: float, turns: list[Outcome]) -> tuple[str | float, ...]:
    every = [latency for turn in turns for latency in turn.latencies]
    rate = len(every) / sum(turn.seconds for turn in turns)
    wrong = sum(turn.wrong for turn in turns)
    return name, _load(pace), rate, percentile(every, 0.5), percentile(every, 0.99), max(every, default=0.0), wrong
