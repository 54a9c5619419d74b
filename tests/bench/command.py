"""From `/投诉` typed to its card posted, beside an empty job of the same engine."""

from __future__ import annotations

import sys
import time

from sandbox.demo import Demo
from tests.bench.processes import environment, once, until
from tests.bench.stage import Stage
from tests.bench.table import ENOUGH, SPREAD, Measured, Ratio, percentile, spread

_OPERATOR = "ou_operator_chen"
CHATS = 40
_PACES = (1.0, 5.0, 10.0, 50.0)
_USUAL = 5.0  # more than a company types
_FEWEST = 12  # of a turn


def measure(stage: Stage) -> Measured:
    found = Measured(
        "command", "/投诉 typed to card posted, over 40 groups, the sandbox's limits off",
        ("what", "events/s", *SPREAD, "drained after s"),
    )  # fmt: skip
    for kind in stage.databases:
        demo = stage.demo("command", kind)
        jobs = environment(stage.database(kind), 1)
        typed: dict[float, list[list[float]]] = {pace: [] for pace in _PACES}
        empty: dict[float, list[list[float]]] = {pace: [] for pace in _PACES}
        drained: dict[float, list[float]] = {pace: [] for pace in _PACES}
        try:
            demo.start()
            chats = prepare(demo)
            type_commands(demo, chats, 10, 4)  # the first cards load what is loaded late
            for turn in range(stage.rounds):
                for pace in _PACES:
                    stage.progress(f"{kind}, round {turn + 1}, {pace:.0f}/s")
                    count = max(_fewest(stage, pace), int(pace * stage.seconds))
                    latencies, after = type_commands(demo, chats, pace, count)
                    typed[pace].append(latencies)
                    drained[pace].append(after)
                    empty[pace].append(_empty(jobs, pace, count))
        finally:
            demo.stop()
        _tell(found, kind, typed, empty, drained)
    found.notes.append("a command is two jobs of the engine, one after the other: work it off, deliver its card")
    return found


def _fewest(stage: Stage, pace: float) -> int:
    """Of a turn. At the usual pace they make a p95 together."""
    if stage.seconds < 1:
        return 2
    return ENOUGH // stage.rounds + 1 if pace == _USUAL else _FEWEST


def _tell(
    found: Measured,
    kind: str,
    typed: dict[float, list[list[float]]],
    empty: dict[float, list[list[float]]],
    drained: dict[float, list[float]],
) -> None:
    for pace in _PACES:
        for name, turns, after in (("card posted", typed, max(drained[pace])), ("empty job", empty, float("nan"))):
            every = [latency for turn in turns[pace] for latency in turn]
            found.rows.append((f"{name}, {kind}", pace, *spread(every), after))
    pairs = list(zip(typed[1.0], typed[10.0], strict=True))
    growth = tuple(percentile(ten, 0.5) / percentile(one, 0.5) for one, ten in pairs)
    over = tuple(percentile(t, 0.5) / percentile(e, 0.5) for t, e in zip(typed[10.0], empty[10.0], strict=True))
    usual = [latency for turn in typed[_USUAL] for latency in turn]
    found.ratios += [
        Ratio(f"median at 5/s, {kind}", (percentile(usual, 0.5),), 80, at_most=True, unit=" ms"),
        Ratio(f"p95 at 5/s, {kind}", (percentile(usual, 0.95),), 250, at_most=True, unit=" ms"),
        Ratio(f"median at 10/s / at 1/s, {kind}", growth, 1.2, at_most=True),
        Ratio(f"median at 10/s / an empty job's, {kind}", over, 4.0, at_most=True),
        Ratio(f"seconds until drained after 50/s, {kind}", tuple(drained[50.0]), 1.0, at_most=True, unit=" s"),
    ]


def prepare(demo: Demo) -> list[str]:
    """Groups enough that no single one is above its limit of 5 messages a second."""
    feishu = demo.sandbox.feishu
    feishu.limits.enabled = False
    return [feishu.add_chat(f"运营 {number}", [_OPERATOR]).chat_id for number in range(CHATS)]


def type_commands(demo: Demo, chats: list[str], pace: float, count: int) -> tuple[list[float], float]:
    """Type `count` commands; latencies in ms, and seconds from the last one typed to the last card."""
    feishu = demo.sandbox.feishu
    started = time.perf_counter()
    typed = []
    for number in range(count):
        wait = started + number / pace - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        typed.append(feishu.user_sends(_OPERATOR, chats[number % len(chats)], "/投诉"))
    last = time.perf_counter()
    waiting = {message.message_id: message for message in typed}
    latencies: list[float] = []

    def all_answered() -> bool:
        with feishu.world.lock:
            for chat in chats:
                for message in feishu.store.in_chat(chat)[::-1]:
                    asked = waiting.pop(message.parent_id, None) if message.is_card else None
                    if asked is not None:
                        latencies.append((message.created_at - asked.created_at).total_seconds() * 1000)
        return not waiting

    until(all_answered, 120, "the cards of all commands", every=0.1)
    return latencies, max(0.0, time.perf_counter() - last)


def _empty(settings: dict[str, str], pace: float, count: int) -> list[float]:
    told = once((sys.executable, "-m", "tests.bench.empty_jobs", str(pace), str(count)), settings)
    return [float(each) for each in told.split()]
