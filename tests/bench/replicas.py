"""Twice the processes on one PostgreSQL: what they acknowledge and work off together, and whether a card came twice."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from sandbox.ports import free_port
from tests.bench.ack import KEYS
from tests.bench.command import CHATS, prepare, type_commands
from tests.bench.load import Load, run
from tests.bench.processes import APP, Program, environment, once
from tests.bench.stage import POSTGRES, Stage
from tests.bench.table import Measured, Ratio, percentile
from tests.faults.stage import Fleet

_GOAL = 1.6
_PACE = 50.0  # commands a second


def measure(stage: Stage) -> Measured:
    found = Measured(
        "replicas", "one process of a kind beside two, on one PostgreSQL",
        ("what", "processes", "a second", "cards twice"),
    )  # fmt: skip
    acks, works, twice = _acknowledged(stage), *_worked_off(stage)
    for name, rates in (("events acknowledged, web", acks), ("commands worked off, workers", works)):
        for number in (1, 2):
            again = twice[number] if rates is works else 0
            found.rows.append((name, number, percentile(rates[number], 0.5), again))
        pairs = tuple(two / one for one, two in zip(rates[1], rates[2], strict=True))
        found.ratios.append(Ratio(f"{name}: two / one", pairs, _GOAL))
    found.ratios.append(Ratio("cards posted twice", (float(sum(twice.values())),), 0, at_most=True, unit=""))
    found.notes.append("the load, the sandbox and PostgreSQL share the machine's cores with what is measured")
    return found


def _acknowledged(stage: Stage) -> dict[int, list[float]]:
    database = stage.database(POSTGRES)
    once((*APP, "migrate"), environment(database, 1))
    rates: dict[int, list[float]] = {1: [], 2: []}
    with ExitStack() as running:
        ports = []
        for number in range(2):
            port = free_port()
            settings = environment(database, port, MPOPS_EXECUTOR=f"web-{number}", **KEYS)
            log = stage.room("replicas") / f"web-{number}.log"
            command = (*APP, "serve", "--web-only")
            running.enter_context(Program(command, log, settings, f"http://127.0.0.1:{port}/readyz"))
            ports.append(port)
        for turn in range(stage.rounds):
            for number in (1, 2) if turn % 2 == 0 else (2, 1):
                stage.progress(f"round {turn + 1}, {number} web")
                rates[number].append(_together(ports[:number], stage.seconds))
    return rates


def _together(ports: list[int], seconds: float) -> float:
    """Events acknowledged a second by all of them, asked at the same time."""
    key, token = KEYS["MPOPS_FEISHU__ENCRYPT_KEY"], KEYS["MPOPS_FEISHU__VERIFICATION_TOKEN"]
    loads = [Load(port, "/feishu/events", key, token, seconds, connections=16 // len(ports)) for port in ports]
    with ThreadPoolExecutor(len(loads)) as pool:
        return sum(outcome.per_second for outcome in pool.map(run, loads))


def _worked_off(stage: Stage) -> tuple[dict[int, list[float]], dict[int, int]]:
    rates: dict[int, list[float]] = {1: [], 2: []}
    twice = {1: 0, 2: 0}
    count = max(CHATS, int(_PACE * stage.seconds))
    for turn in range(stage.rounds):
        for number in (1, 2) if turn % 2 == 0 else (2, 1):
            stage.progress(f"round {turn + 1}, {number} workers")
            names = [f"worker-{each}" for each in range(number)]
            with Fleet(stage.room("replicas") / "fleet", stage.database(POSTGRES), names) as fleet:
                chats = prepare(fleet)
                type_commands(fleet, chats, 10, CHATS)  # the first cards load what is loaded late
                time.sleep(1.0)
                before = _posted(fleet, chats)
                started = time.perf_counter()
                type_commands(fleet, chats, _PACE, count)
                rates[number].append(count / (time.perf_counter() - started))
                time.sleep(2.0)  # for what should not come
                twice[number] += _posted(fleet, chats) - before - count
    return rates, twice


def _posted(fleet: Fleet, chats: list[str]) -> int:
    feishu = fleet.sandbox.feishu
    with feishu.world.lock:
        return sum(message.is_card for chat in chats for message in feishu.store.in_chat(chat))
