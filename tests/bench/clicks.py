"""From the finger on a button to the toast, and to the redrawn card, beside an ordinary event's acknowledgement."""

from __future__ import annotations

import time

import httpx

from sandbox.company import GROUP, MERCHANT
from sandbox.delivery import loopback_client
from sandbox.demo import Demo
from sandbox.feishu.state import Message
from tests.bench import events
from tests.bench.processes import until
from tests.bench.stage import Stage
from tests.bench.table import ENOUGH, SPREAD, Measured, Ratio, percentile, spread

_OPERATOR = "ou_operator_chen"
_BUTTONS = ("认领", "释放")  # take it, give it back
_GAP = 0.05  # seconds between a redrawn card and the next click


def measure(stage: Stage) -> Measured:
    found = Measured("click", "card click to toast and to redrawn card (sandbox)", ("what", *SPREAD))
    for kind in stage.databases:
        stage.progress(kind)
        demo = stage.demo("click", kind)
        try:
            demo.start()
            demo.sandbox.feishu.limits.enabled = False
            acks, toasts, cards = _in_turns(stage, demo)
        finally:
            demo.stop()
        for name, values in (
            ("event acknowledged", acks),
            ("click to toast", toasts),
            ("click to redrawn card", cards),
        ):
            found.rows.append((f"{name}, {kind}", *spread(values)))
        against = percentile(toasts, 0.95) / percentile(acks, 0.95)
        found.ratios += [
            Ratio(f"toast p95 / event's p95, {kind}", (against,), 2.0, at_most=True),
            Ratio(f"card redrawn, median, {kind}", (percentile(cards, 0.5),), 300, at_most=True, unit=" ms"),
        ]
    found.notes.append(
        "each request on a connection of its own, as Feishu does; the bot runs everything in one process"
    )
    return found


def _in_turns(stage: Stage, demo: Demo) -> tuple[list[float], list[float], list[float]]:
    card = complaint(demo)
    acks: list[float] = []
    toasts: list[float] = []
    cards: list[float] = []
    ends = time.monotonic() + stage.seconds * stage.rounds
    fewest = ENOUGH if stage.seconds >= 1 else 4
    number = 0
    with loopback_client() as client:
        while time.monotonic() < ends or number < fewest:
            acks.append(acknowledge(client, demo, number))
            toast, redrawn = press(demo, card)
            toasts.append(toast)
            cards.append(redrawn)
            number += 1
            time.sleep(_GAP)
    return acks, toasts, cards


def press(demo: Demo, card: Message) -> tuple[float, float]:
    """Claim or release; ms until the toast, and until the card is redrawn."""
    before = card.revision
    label = standing(card)
    started = time.perf_counter()
    clicked = demo.sandbox.feishu.click_button(_OPERATOR, card.message_id, label)
    toast = (time.perf_counter() - started) * 1000
    if clicked.code or (clicked.toast or {}).get("type") != "success":
        raise RuntimeError(f"the click on {label} was refused: {clicked.code} {clicked.toast_text}")
    until(lambda: card.revision > before, 20, "the redrawn card", every=0.002)
    return toast, (time.perf_counter() - started) * 1000


def complaint(demo: Demo) -> Message:
    """The card of a complaint that somebody has just made."""
    sandbox = demo.sandbox
    payment = next(iter(sandbox.wechatpay.ledger.payments.values()))
    sandbox.wechatpay.customer_complains(MERCHANT, payment, "杯子漏水，要求退款", problem_type="REFUND")

    def posted() -> Message | None:
        return next((one for one in sandbox.feishu.store.in_chat(GROUP) if one.is_card), None)

    until(posted, 30, "the card of the complaint")
    card = posted()
    assert card is not None
    return card


def standing(card: Message) -> str:
    """The button that can be pressed just now."""
    return next(label for label in _BUTTONS if _stands(card, label))


def _stands(card: Message, label: str) -> bool:
    return f'"{label}"' in str(card.content).replace("'", '"')


def acknowledge(client: httpx.Client, demo: Demo, number: int) -> float:
    headers, body = events.delivery(demo.sandbox.feishu.app, number)
    started = time.perf_counter()
    client.post(f"{demo.bot_url}/feishu/events", content=body, headers=headers).raise_for_status()
    return (time.perf_counter() - started) * 1000
