"""The supervised child, for real: the SDK's client in a process of its own against the sandbox's WebSocket."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from feishu_bot import TinyBot, soon

from bot.feishu.lark import LarkFeishu
from bot.feishu.long_connection import LongConnection, Patience, Supervisor
from bot.feishu.long_connection_child import Courier, NotDelivered
from bot.feishu.port import Receiver
from sandbox.feishu.state import User
from sandbox.server import Sandbox

KEY = "between-child-and-bot"
IMPATIENT = Patience(first=30.0, silence=4.0, wait=0.05, longest_wait=0.2)
CARD = (
    '{"schema":"2.0","body":{"elements":[{"tag":"button","text":{"tag":"plain_text","content":"领取"},'
    '"behaviors":[{"type":"callback","value":{"act":"claim"}}]}]}}'
)


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[TinyBot]:
    sandbox.feishu.long_connection.config = {
        "ReconnectCount": -1,
        "ReconnectInterval": 1,
        "ReconnectNonce": 0,
        "PingInterval": 1,
    }
    with TinyBot(KEY, "our-token", sandbox.world.clock) as running:
        yield running


@pytest.fixture
def zhou(sandbox: Sandbox) -> User:
    return sandbox.feishu.add_user("周")


def connection(sandbox: Sandbox, bot: TinyBot, secret: str = "") -> LongConnection:
    app = sandbox.feishu.app
    return LongConnection(app.app_id, secret or app.secret, sandbox.url, bot.url, KEY, "our-token")


@pytest.fixture
def supervisor(sandbox: Sandbox, bot: TinyBot) -> Iterator[Supervisor]:
    supervisor = Supervisor(connection(sandbox, bot), IMPATIENT)
    supervisor.start()
    try:
        soon(lambda: supervisor.alive and sandbox.feishu.long_connection.connected(sandbox.feishu.app.app_id), 30)
        yield supervisor
    finally:
        supervisor.stop()


def test_events_and_clicks_come_through_and_a_broken_line_is_mended(
    sandbox: Sandbox, supervisor: Supervisor, bot: TinyBot, port: LarkFeishu, zhou: User
) -> None:
    feishu, line = sandbox.feishu, sandbox.feishu.long_connection
    chat = feishu.add_chat("群", [zhou])
    feishu.user_sends(zhou.open_id, chat.chat_id, "/帮助")
    soon(lambda: bot.types() == ["im.message.receive_v1"])
    assert bot.got[0].natural_id.startswith("message:om_")

    # A type that nobody registered, which the SDK's own dispatcher would refuse.
    feishu.events.emit(feishu.app, "moon.phase.changed_v9", {"phase": "full"})
    soon(lambda: "moon.phase.changed_v9" in bot.types())

    line.fragment_bytes = 100
    bot.answer = {"toast": {"type": "success", "content": "已领取 😀"}}
    message_id = port.send_card(Receiver("chat", chat.chat_id), CARD, "uuid-1")
    click = feishu.click_button(zhou.open_id, message_id, "领取")
    assert (click.code, click.toast_text) == (0, "已领取 😀")
    bot.answer = {}
    assert feishu.click_button(zhou.open_id, message_id, "领取").code == 0
    assert bot.types().count("card.action.trigger") == 2

    bot.status = 500
    assert feishu.click_button(zhou.open_id, message_id, "领取").code == 200671
    bot.status = 200

    child, before = supervisor.pid, line.peers(feishu.app.app_id)
    line.drop_all()
    soon(lambda: any(peer not in before for peer in line.peers(feishu.app.app_id)))
    soon(lambda: len(line.peers(feishu.app.app_id)) == 1)
    feishu.user_sends(zhou.open_id, chat.chat_id, "again")
    soon(lambda: bot.types().count("im.message.receive_v1") == 2)
    assert supervisor.pid == child, "the child mends its own line"
    assert bot.refused == []


def test_a_slow_click_does_not_hold_up_other_events(
    sandbox: Sandbox, supervisor: Supervisor, bot: TinyBot, zhou: User
) -> None:
    bot.delay = 0.8
    pings = sandbox.feishu.long_connection.pings
    for number in range(4):
        sandbox.feishu.events.emit(sandbox.feishu.app, f"number.{number}", {})
    soon(lambda: len(bot.got) == 4, 2.5)
    soon(lambda: sandbox.feishu.long_connection.pings > pings)


def test_a_killed_child_is_replaced_and_one_that_hangs_too(
    sandbox: Sandbox, supervisor: Supervisor, bot: TinyBot
) -> None:
    line, app = sandbox.feishu.long_connection, sandbox.feishu.app
    first = supervisor.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    soon(lambda: supervisor.pid not in (None, first) and supervisor.alive and len(line.peers(app.app_id)) == 1, 30)
    second = supervisor.pid
    assert second is not None
    os.kill(second, signal.SIGSTOP)  # alive to the system, deaf to Feishu: what a blocked SDK looks like
    soon(lambda: supervisor.pid not in (None, second) and supervisor.alive, 30)
    assert supervisor.restarts == 2
    soon(lambda: len(line.peers(app.app_id)) == 1)
    sandbox.feishu.events.emit(app, "after.all", {})
    soon(lambda: bot.types() == ["after.all"])


def test_stop_ends_the_child_and_a_refused_app_is_tried_again_slowly(sandbox: Sandbox, bot: TinyBot) -> None:
    refused = Supervisor(connection(sandbox, bot, "wrong"), IMPATIENT)
    refused.start()
    soon(lambda: refused.restarts >= 1, 30)
    assert not refused.alive
    refused.stop()
    assert refused.pid is None
    refused.stop()


def test_a_child_whose_parent_is_killed_ends_by_itself(sandbox: Sandbox, bot: TinyBot) -> None:
    """Else it would stay connected, and Feishu would give it a share of the events."""
    program = (
        "import json, sys, time\n"
        "from bot.feishu.long_connection import LongConnection, Supervisor\n"
        "supervisor = Supervisor(LongConnection(*json.loads(sys.argv[1])))\n"
        "supervisor.start()\n"
        "while not supervisor.alive: time.sleep(0.05)\n"
        "print(supervisor.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    made = connection(sandbox, bot)
    fields = [made.app_id, made.app_secret, made.domain, made.deliver_to, KEY, "our-token"]
    parent = subprocess.Popen(
        [sys.executable, "-c", program, json.dumps(fields)],
        cwd=Path(__file__).resolve().parents[3],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        lines = (line.strip() for line in parent.stdout)
        child = int(next(line for line in lines if line.isdigit()))
        assert sandbox.feishu.long_connection.connected(sandbox.feishu.app.app_id)
    finally:
        parent.kill()
        parent.wait()
        if parent.stdout is not None:
            parent.stdout.close()
    soon(lambda: not sandbox.feishu.long_connection.connected(sandbox.feishu.app.app_id))
    soon(lambda: not Path(f"/proc/{child}/cmdline").exists() or not Path(f"/proc/{child}/cmdline").read_bytes())


def test_the_courier_waits_out_a_restart_of_the_bot(sandbox: Sandbox) -> None:
    with TinyBot(KEY, "our-token", sandbox.world.clock) as before:
        port = before.port
        made = connection(sandbox, before)
    courier = Courier(made, sandbox.world.clock)
    later = TinyBot(KEY, "our-token", sandbox.world.clock, port)
    event = b'{"schema":"2.0","header":{"event_id":"1","event_type":"x","token":"theirs"},"event":{}}'
    threading.Timer(0.5, later.__enter__).start()
    assert courier.deliver(event) is None
    assert later.types() == ["x"]
    later.__exit__(None, None, None)
    for broken in (b"", b"[]", b"\xff", event):
        with pytest.raises(NotDelivered):
            courier.deliver(broken)
    courier.close()


def test_without_a_key_between_child_and_bot_nothing_starts(sandbox: Sandbox, bot: TinyBot) -> None:
    made = connection(sandbox, bot)
    with pytest.raises(ValueError, match="encrypt key"):
        Supervisor(LongConnection(made.app_id, made.app_secret, made.domain, made.deliver_to, "", ""))
    assert made.app_secret not in repr(made)
    assert KEY not in repr(made)
