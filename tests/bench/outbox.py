"""How much of what Feishu's limits allow the outbox makes use of, and whether it ever asks for more."""

from __future__ import annotations

import math
import sys

from sandbox.demo import Demo
from sandbox.feishu.state import Message
from tests.bench.processes import once, until
from tests.bench.stage import Stage
from tests.bench.table import Measured, Ratio

_CHAT_LIMIT, _APP_LIMIT = 5, 50  # a second
_CHATS = 200
_MOST = 900  # Feishu also allows no more than 1000 a minute


def measure(stage: Stage) -> Measured:
    found = Measured(
        "outbox", "messages that are due all at once, against the sandbox's limits",
        ("what", "messages", "seconds", "fastest possible s", "share", "rejected"),
    )  # fmt: skip
    length = stage.seconds * stage.rounds
    for kind in stage.databases:
        demo = stage.demo("outbox", kind)
        try:
            demo.start()
            for chats, limit in ((1, _CHAT_LIMIT), (_CHATS, _APP_LIMIT)):
                count = min(_MOST, limit * max(2, round(length)) + 1)
                stage.progress(f"{kind}, {count} messages to {chats} chats")
                took, rejected = _send(demo, chats, count)
                # The first `limit` may go at once, then as many each second.
                fastest = float(math.ceil(count / limit) - 1)
                name = f"{'one chat' if chats == 1 else f'{chats} chats'}, {kind}"
                found.rows.append((name, count, took, fastest, fastest / took, rejected))
                found.ratios += [
                    Ratio(f"share of the limit, {name}", (fastest / took,), 0.95),
                    Ratio(f"rejected, {name}", (float(rejected),), 0, at_most=True, unit=""),
                ]
        finally:
            demo.stop()
    return found


def _send(demo: Demo, chats: int, count: int) -> tuple[float, int]:
    """Seconds from the first to the last message, and how many calls Feishu refused meanwhile."""
    feishu = demo.sandbox.feishu
    ids = [feishu.add_chat(f"{count} {number}", ["ou_operator_chen"]).chat_id for number in range(chats)]
    seen = feishu.world.calls.since(limit=1)
    before = seen[-1].number if seen else 0
    once((sys.executable, "-m", "tests.bench.say_much", str(count), *ids), demo.environment())

    def posted() -> list[Message]:
        with feishu.world.lock:
            return [message for chat in ids for message in feishu.store.in_chat(chat)]

    until(lambda: len(posted()) >= count, 60 + count, "all messages", every=0.25)
    times = sorted(message.created_at for message in posted())
    calls = feishu.world.calls.since(before, 5000)
    rejected = sum(call.direction == "in" and call.platform == "feishu" and call.status >= 400 for call in calls)
    return (times[-1] - times[0]).total_seconds(), rejected
