"""Events of another app or company that are sealed with our key, as by a key that two apps share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.clock import OffsetClock
from bot.feishu.long_connection import LongConnection
from bot.feishu.long_connection_child import Courier, NotDelivered
from sandbox.feishu.envelope import envelope
from sandbox.feishu.state import TENANT
from tests.cli.running import mpops
from tests.security.attacked import Attacked
from tests.story.waiting import eventually

OTHERS = {"another app": {"app_id": "cli_other"}, "another tenant": {"tenant_key": "another company"}}


def refused(bot: Attacked, reason: str) -> float:
    """How many requests were refused for that, as /metrics tells."""
    page = httpx.get(f"{bot.world.demo.bot_url}/metrics", trust_env=False).text
    told = f'mpops_refused_total{{reason="{reason}",source="feishu"}}'
    return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(told))


def told(bot: Attacked, event_type: str, event: Mapping[str, Any], **header: Any) -> dict[str, Any]:
    whole = envelope(bot.world.feishu.app, event_type, event, bot.world.sandbox.world.clock.now())
    return {**whole, "header": {**whole["header"], **header}}


def message(bot: Attacked, id: str) -> dict[str, Any]:
    person = bot.world.chen.open_id
    return {
        "message": {
            "message_id": id, "chat_id": bot.world.feishu.p2p(person).chat_id, "chat_type": "p2p",
            "message_type": "text", "content": json.dumps({"text": "/我"}),
        },
        "sender": {"sender_id": {"open_id": person}, "sender_type": "user", "tenant_key": "another company"},
    }  # fmt: skip


def stored(bot: Attacked) -> int:
    page = httpx.get(f"{bot.world.demo.bot_url}/metrics", trust_env=False).text
    return sum(int(float(line.split()[-1])) for line in page.splitlines() if line.startswith("mpops_received_total{"))


@pytest.mark.parametrize("reason", OTHERS)
def test_b14_it_is_refused_like_anything_else_counted_and_written_down(bot: Attacked, reason: str) -> None:
    before, there = refused(bot, reason), stored(bot)
    header = OTHERS[reason]
    one = told(bot, "im.message.receive_v1", message(bot, f"om_of_{reason[-3:]}"), **header)
    two = told(bot, "card.action.trigger", {"operator": {"open_id": bot.world.chen.open_id}, "action": {}}, **header)
    old = {
        "uuid": f"old {reason}", "ts": "1", "token": bot.world.feishu.app.verification_token, "type": "event_callback",
        "event": {
            "type": "p2p_chat_create", "app_id": bot.world.feishu.app.app_id, "tenant_key": TENANT,
            "chat_id": "oc_x", "user": {"open_id": bot.world.chen.open_id}, **header,
        },
    }  # fmt: skip
    for payload in (one, two, old):
        assert bot.feishu(json.dumps(payload).encode()).status == 401
    assert refused(bot, reason) == before + 3
    assert stored(bot) == there
    # The door writes part of it down when many come, and at first it may still be crowded.
    for _ in range(120):
        assert bot.feishu(json.dumps(one).encode()).status == 401
    assert stored(bot) == there

    def lines() -> int:
        bot.feishu(json.dumps(one).encode())
        return sum(line["event"] == "feishu.refused" and line["why"] == reason for line in bot.world.bot_log())

    assert 1 <= eventually(lines, "it is never written down") < 100


def test_b14_our_own_are_taken_also_without_those_fields(bot: Attacked) -> None:
    """And where somebody of another company has written, as in a group with outsiders."""
    for number, left_out in enumerate((("app_id",), ("tenant_key",), ("app_id", "tenant_key"), ())):
        event = told(bot, "im.message.receive_v1", message(bot, f"om_without_{number}"))
        for name in left_out:
            del event["header"][name]
        assert bot.feishu(json.dumps(event).encode()).status == 200


@pytest.mark.parametrize("reason", OTHERS)
def test_b14_it_does_not_come_in_by_the_long_connection_either(bot: Attacked, reason: str) -> None:
    app, demo = bot.world.feishu.app, bot.world.demo
    clock = OffsetClock(Path(demo.environment()["MPOPS_CLOCK_OFFSET_FILE"]))
    address = f"{demo.bot_url}/feishu/events"
    line = LongConnection(app.app_id, app.secret, demo.sandbox.url, address, app.encrypt_key, app.verification_token)
    courier = Courier(line, clock)
    try:
        before = refused(bot, reason)
        for event_type in ("some.event_v1", "card.action.trigger"):
            with pytest.raises(NotDelivered, match="401"):
                courier.deliver(json.dumps(told(bot, event_type, {}, **OTHERS[reason])).encode())
        assert refused(bot, reason) == before + 2
        assert courier.deliver(json.dumps(told(bot, "some.event_v1", {})).encode()) is None
    finally:
        courier.close()


def test_b14_a_wrong_tenant_is_forgotten_by_command_while_the_bot_runs(bot: Attacked) -> None:
    forgotten = mpops("doctor", "--forget-tenant", env=bot.world.demo.environment())
    assert "The tenant is forgotten" in forgotten.out
    assert "not known yet" in forgotten.out

    def taken() -> bool:
        return bot.feishu(json.dumps(told(bot, "some.event_v1", {}, tenant_key="moved")).encode()).status == 200

    eventually(taken, "the bot never looked again", 30)
    assert mpops("doctor", "--forget-tenant", env=bot.world.demo.environment()).code in (0, 1)
    ours = json.dumps(told(bot, "some.event_v1", {})).encode()
    eventually(lambda: bot.feishu(ours).status == 200, "the bot never looked again", 30)
