"""Fifty people press a button of one card at the same moment; and one after the other, five a second."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from sandbox.company import GROUP
from sandbox.demo import Demo
from sandbox.feishu.state import Message
from tests.bench import clicks
from tests.bench.processes import APP, once
from tests.bench.stage import Stage
from tests.bench.table import ENOUGH, SPREAD, Measured, Ratio, percentile, spread

_PEOPLE = 50
_PACE = 5.0  # clicks a second
_LATE = 1000.0  # ms


def measure(stage: Stage) -> Measured:
    found = Measured("crowd", "clicks of many to their toasts (sandbox)", ("what", *SPREAD))
    for kind in stage.databases:
        demo = stage.demo("crowd", kind)
        try:
            demo.start()
            demo.sandbox.feishu.limits.enabled = False
            card = clicks.complaint(demo)
            people = _crowd(demo)
            clicks.press(demo, card)
            together: list[list[float]] = []
            for turn in range(stage.rounds):
                stage.progress(f"{kind}, {_PEOPLE} at once, round {turn + 1}")
                together.append(_at_once(demo, card, people))
            stage.progress(f"{kind}, {_PACE:.0f} a second")
            steady = _paced(demo, card, people, stage.scaled(ENOUGH, 4))
        finally:
            demo.stop()
        for turn, each in enumerate(together):
            found.rows.append((f"at once, round {turn + 1}, {kind}", *spread(each)))
        found.rows.append((f"{_PACE:.0f} a second, {kind}", *spread(steady)))
        late = tuple(float(sum(one > _LATE for one in each)) for each in together)
        found.ratios += [
            Ratio(f"toasts of {_PEOPLE} at once later than 1 s, {kind}", late, 0, at_most=True, unit=""),
            Ratio(f"toast at {_PACE:.0f}/s, p95, {kind}", (percentile(steady, 0.95),), 150, at_most=True, unit=" ms"),
        ]
    found.notes.append("counted at the one who clicks, the sandbox's own work included")
    return found


def _crowd(demo: Demo) -> list[str]:
    feishu = demo.sandbox.feishu
    people = [f"ou_bench_{number}" for number in range(_PEOPLE)]
    for number, open_id in enumerate(people):
        feishu.add_user(f"同事 {number}", open_id)
        feishu.join(open_id, GROUP)
    file = demo.folder / "crowd.toml"
    roles = "".join(f'\n[[role]]\nperson = "{one}"\nrole = "operator"\nscope = "mall"\n' for one in people)
    file.write_text((demo.folder / "demo.toml").read_text() + roles)
    once((*APP, "apply", str(file)), demo.environment())
    return people


def _press(demo: Demo, card: Message, open_id: str) -> float:
    started = time.perf_counter()
    clicked = demo.sandbox.feishu.click_button(open_id, card.message_id, clicks.standing(card))
    if not clicked.toast_text:
        raise RuntimeError(f"the click had no toast: {clicked.code}")
    return (time.perf_counter() - started) * 1000


def _at_once(demo: Demo, card: Message, people: list[str]) -> list[float]:
    gate = threading.Barrier(len(people))

    def one(open_id: str) -> float:
        gate.wait()
        return _press(demo, card, open_id)

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(one, people))


def _paced(demo: Demo, card: Message, people: list[str], count: int) -> list[float]:
    started = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        waiting = []
        for number in range(count):
            time.sleep(max(0.0, started + number / _PACE - time.perf_counter()))
            waiting.append(pool.submit(_press, demo, card, people[number % len(people)]))
        return [one.result() for one in waiting]
