"""The long connection: the vendor's client over it, our frames against the vendor's protobuf, and its limits."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from sandbox.feishu.frames import DATA, BadFrame, Frame, decode
from sandbox.feishu.platform import Feishu
from sandbox.server import Sandbox
from tests.contract.feishu.conftest import Company, Raw, Receiver, button, card, until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def sdk_bot(box: Sandbox) -> Iterator[subprocess.Popen[str]]:
    app = box.feishu.app
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.contract.feishu.ws_bot", app.app_id, app.secret, box.url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "NO_PROXY": "*"},
    )
    until(lambda: box.feishu.long_connection.connected(app.app_id) or process.poll() is not None, 40, "the SDK")
    yield process
    process.kill()
    process.communicate(timeout=10)


def said(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def test_the_sdk_gets_events_and_clicks_whole_and_in_fragments(
    sdk_bot: subprocess.Popen[str], feishu: Feishu, raw: Raw, company: Company
) -> None:
    zhang, group = company.zhang.open_id, company.group.chat_id
    for size in (0, 100):
        feishu.long_connection.fragment_bytes = size
        sent = feishu.user_sends(zhang, group, "你好" * 200)
        assert said(sdk_bot) == {"kind": "message", "id": sent.message_id, "text": "@_user_1 " + "你好" * 200}
        attempt = feishu.world.deliveries.attempts[-1]
        until(lambda attempt=attempt: attempt.answers == [200], 5, "the answer")  # type: ignore[misc]  # a default binds the loop's value
        message_id = raw.send(group, card(button("好", {"a": size})))["data"]["message_id"]
        result = feishu.click_button(zhang, message_id, "好")
        assert said(sdk_bot) == {"kind": "click", "value": {"a": size}}
        assert (result.code, result.toast_text) == (0, "收到")
    until(lambda: feishu.long_connection.pings > 0, 5, "a ping")
    unknown = feishu.events.emit(feishu.app, "im.chat.disbanded_v1", {"chat_id": group})
    assert unknown is not None
    until(lambda: unknown.answers == [500], 5, "the refusal of an event nobody registered")


def test_frames_match_the_vendors_protobuf(lark: Any) -> None:
    ours = Frame(2**63, 7, 33, DATA, {"type": "event", "名": "值"}, "gzip", "json", "{}你好".encode(), "log")
    theirs = lark.ws.pb.pbbp2_pb2.Frame()
    theirs.ParseFromString(ours.encode())
    assert (theirs.SeqID, theirs.LogID, theirs.service, theirs.method) == (2**63, 7, 33, 1)
    assert [(one.key, one.value) for one in theirs.headers] == [("type", "event"), ("名", "值")]
    assert (theirs.payload, theirs.LogIDNew) == ("{}你好".encode(), "log")
    assert decode(theirs.SerializeToString()) == ours
    for broken in (b"\x08", b"\x42\x05ab", b"\x0f", b"\xff" * 11):
        with pytest.raises(BadFrame):
            decode(broken)


def ask(box: Sandbox, **body: str) -> dict[str, Any]:
    request = Request(f"{box.url}/callback/ws/endpoint", json.dumps(body).encode(), {"User-Agent": "oapi-sdk-python"})
    with build_opener(ProxyHandler({})).open(request, timeout=5) as response:
        content: dict[str, Any] = json.load(response)
    return content


def opened(box: Sandbox) -> Connection:
    app = box.feishu.app
    answer = ask(box, AppID=app.app_id, AppSecret=app.secret)
    assert answer["code"] == 0
    assert set(answer["data"]["ClientConfig"]) == {
        "ReconnectCount",
        "ReconnectInterval",
        "ReconnectNonce",
        "PingInterval",
    }
    return connect(answer["data"]["URL"], compression=None, proxy=None)


def test_ping_is_answered_with_the_settings(box: Sandbox) -> None:
    with opened(box) as connection:
        connection.send(Frame(0, 0, 5, headers={"type": "ping"}).encode())
        pong = decode(bytes(connection.recv(timeout=5)))  # type: ignore[arg-type]  # binary frames only
        assert pong.headers == {"type": "pong"}
        assert json.loads(pong.payload)["PingInterval"] == 120


def answer(connection: Connection, content: dict[str, Any]) -> dict[str, Any]:
    """Take one frame and answer it; the event it carried."""
    frame = decode(bytes(connection.recv(timeout=5)))  # type: ignore[arg-type]  # binary frames only
    event: dict[str, Any] = json.loads(frame.payload)
    frame.headers["biz_rt"] = "1"
    frame.payload = json.dumps(content).encode()
    connection.send(frame.encode())
    return event


def test_a_failed_event_climbs_the_ladder(box: Sandbox, company: Company) -> None:
    with opened(box) as connection:
        until(lambda: box.feishu.long_connection.connected(box.feishu.app.app_id), 5, "the connection")
        box.feishu.bot_menu(company.zhang.open_id, "home")
        first = answer(connection, {"code": 500})
        (attempt,) = box.world.deliveries.attempts
        until(lambda: attempt.answers == [500], 5, "the refusal")
        box.world.clock.advance(timedelta(seconds=16))
        again = answer(connection, {"code": 200})
        assert first["header"]["event_id"] == again["header"]["event_id"]
        until(lambda: attempt.delivered, 5, "the delivery")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"code": 200, "data": base64.b64encode(b"{}").decode()}, 0),
        ({"code": 200}, 108002),
        ({"code": 500}, 200671),
        ({"code": 200, "data": base64.b64encode(b"[]").decode()}, 200672),
    ],
)
def test_answers_to_a_click(content: dict[str, Any], code: int, box: Sandbox, raw: Raw, company: Company) -> None:
    message_id = raw.send(company.group.chat_id, card(button("好", {"a": 1})))["data"]["message_id"]
    with opened(box) as connection:
        until(lambda: box.feishu.long_connection.connected(box.feishu.app.app_id), 5, "the connection")
        thread = threading.Thread(target=answer, args=(connection, content))
        thread.start()
        assert box.feishu.click_button(company.zhang.open_id, message_id, "好").code == code
        thread.join()


def test_a_broken_line_is_noticed_and_the_webhook_takes_over(
    box: Sandbox, company: Company, receiver: Receiver
) -> None:
    box.feishu.app.event_url = receiver.url
    with opened(box):
        app_id = box.feishu.app.app_id
        until(lambda: box.feishu.long_connection.connected(app_id), 5, "the connection")
        box.feishu.long_connection.drop_all()
        until(lambda: not box.feishu.long_connection.connected(app_id), 5, "the end")
    box.feishu.bot_menu(company.zhang.open_id, "home")
    receiver.wait(1)


def test_who_may_connect(box: Sandbox) -> None:
    assert ask(box, AppID=box.feishu.app.app_id, AppSecret="wrong")["code"] == 514
    assert ask(box, AppID="cli_nobody", AppSecret="x")["code"] == 1000040344
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{box.feishu.long_connection.url}/ws/v2?ticket=stolen&service_id=1", proxy=None)
    assert refused.value.response.headers["Handshake-Status"] == "514"


def test_fifty_connections_at_most(box: Sandbox) -> None:
    connections = [opened(box) for _ in range(50)]
    until(lambda: len(box.feishu.long_connection.peers(box.feishu.app.app_id)) == 50, 5, "50 connections")
    refused = ask(box, AppID=box.feishu.app.app_id, AppSecret=box.feishu.app.secret)
    assert refused["code"] == 1000040350
    for connection in connections:
        connection.close()
