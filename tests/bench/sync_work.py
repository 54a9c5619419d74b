"""A process of its own that brings complaints together with what it knows, at full speed; prints figures as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, cast

import app
from adapters.ports.complaints import ComplaintsPort
from adapters.values import Author, ComplainedOrder, ComplaintDetails, ComplaintState, HistoryEntry
from bot.settings import load
from handlers.complaints.jobs import ComplaintJobs
from handlers.complaints.sync import merge
from storage.areas.configuration import Account, Chat, ComplaintRoute, Program
from storage.migrate import migrate

_ACCOUNT, _CHAT, _HISTORY = "pay-main", "oc_bench", 4


class Prepared:
    """What the channel tells, already read: the network and the channel's own pace are not measured here."""

    def __init__(self, told: Sequence[ComplaintDetails]) -> None:
        self._told = told

    def listed(self, first: date, last: date) -> Iterator[ComplaintDetails]:
        return iter(self._told)


def main(count: int) -> None:
    bot = app.build(load())
    migrate(bot.database)
    bot.engine.migrate()
    bot.engine.start(execute=False)
    now = bot.units.clock.now()
    with bot.units.write("bench") as unit:
        unit.session.add_all(
            [
                Account(key=_ACCOUNT, channel="wechatpay", mode="direct", settings={"base_url": "x"}, changed_at=now),
                Program(key="mall", account_key=_ACCOUNT, name="商城", chat_id=_CHAT, owner="ou_bench"),
                Chat(chat_id=_CHAT, name="支付投诉群", zone="Asia/Shanghai", language="zh_cn"),
                ComplaintRoute(account_key=_ACCOUNT, program_key="mall", chat_id=_CHAT),
            ]
        )

    def told(number: int) -> ComplaintDetails:
        return ComplaintDetails(
            id=f"2000{number:012d}", state=ComplaintState.PENDING, raw_state="PENDING",
            created_at=now - timedelta(minutes=number % 600), text=f"杯子漏水，要求退款 {number}", problem="退款",
            problem_type="REFUND", merchant_id="1900000109",
            orders=(ComplainedOrder(f"42{number:012d}", f"T{number:012d}", 6800),),
            payer_phone=f"139{number:08d}", payer_openid=f"o{number}", user_waits=True,
        )  # fmt: skip

    def history(one: ComplaintDetails) -> list[HistoryEntry]:
        return [
            HistoryEntry(
                f"{one.id}-{step}", one.created_at, Author.CUSTOMER, "USER_CREATE_COMPLAINT", f"{one.text} {step}"
            )
            for step in range(_HISTORY)
        ]

    many = [told(number) for number in range(count)]

    def bring_together() -> None:
        for one in many:
            with bot.units.write(f"sync-{one.id}") as unit:
                merge(unit, _ACCOUNT, "wechatpay", one, history(one), unit.now)

    jobs = ComplaintJobs(bot.units, bot.channels, cast(Any, None))
    port = cast(ComplaintsPort, Prepared(many))

    def poll() -> None:
        jobs._poll(_ACCOUNT, port, "bench")

    found = {
        "new": count / _seconds(bring_together),  # stored sealed, history, deadlines, audit, card and its job
        "known": count / _seconds(bring_together),
        "polled": count / _seconds(poll),
    }
    bot.engine.stop()
    bot.database.close()
    sys.stdout.write(json.dumps(found))


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]))
