"""What a campaign's pushes cost: many complaints at once, each pushed, asked for, stored and posted as a card."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from sandbox.company import MERCHANT
from sandbox.demo import Demo
from tests.bench.command import prepare, type_commands
from tests.bench.processes import cpu_seconds
from tests.bench.stage import Stage
from tests.bench.table import SPREAD, Measured, Ratio, percentile, spread
from tests.bench.waiting import Waiting, beside

_MANY = 200  # at five seconds a turn


def measure(stage: Stage) -> Measured:
    found = Measured(
        "pushes", "complaints made as fast as the sandbox makes them, pushed by WeChat Pay",
        ("what", "complaints", "worked off/s", "CPU ms each", "commands meanwhile", *SPREAD[1:]),
    )  # fmt: skip
    for kind in stage.databases:
        stage.progress(kind)
        demo = stage.demo("pushes", kind)
        with beside(demo) as waiting:
            _campaign(kind, stage.scaled(_MANY, 4), demo, waiting, found)
    found.notes.append(
        "the cards follow as Feishu allows: five a second in one group; the sandbox signs on the same cores"
    )
    return found


def _campaign(kind: str, count: int, demo: Demo, waiting: Waiting, found: Measured) -> None:
    chats = prepare(demo)
    type_commands(demo, chats, 10, 4)
    waiting.until_idle()

    def known() -> bool:
        return waiting.count("complaint") >= count and not waiting.inbox()

    before, started = cpu_seconds(demo.pid), time.perf_counter()
    with ThreadPoolExecutor(1) as customers:
        complaining = customers.submit(_complain, demo, count)
        meanwhile: list[float] = []
        while not (meanwhile and complaining.done() and known()):
            meanwhile += type_commands(demo, chats, 10, 1)[0]
        complaining.result()
    seconds = time.perf_counter() - started
    cpu = 1000 * (cpu_seconds(demo.pid) - before) / count
    half = percentile(meanwhile, 0.5)
    found.rows.append((kind, count, count / seconds, cpu, *spread(meanwhile)))
    found.ratios.append(Ratio(f"a command meanwhile, {kind}", (half / 1000,), 1, at_most=True, unit=" s"))


def _complain(demo: Demo, count: int) -> None:
    pay = demo.sandbox.wechatpay
    payments = list(pay.ledger.payments.values())
    for number in range(count):
        pay.customer_complains(MERCHANT, payments[number % len(payments)], "没有收到货", problem_type="REFUND")
