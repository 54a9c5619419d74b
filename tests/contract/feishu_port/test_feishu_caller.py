"""Tokens, broken answers, faults and the log line of the port's calls."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from feishu_stub import Stub
from structlog.testing import capture_logs

from bot.clock import SystemClock
from bot.feishu.errors import BadCredentials, FeishuError, QuotaGone, Retryable, Throttled, TokenRefused, Unreachable
from bot.feishu.lark import LarkFeishu
from bot.feishu.port import Receiver
from sandbox.faults import CallFault, Fault
from sandbox.server import Sandbox

MESSAGES = "/im/v1/messages"


@pytest.fixture
def group(sandbox: Sandbox) -> Receiver:
    user = sandbox.feishu.add_user("周")
    return Receiver("chat", sandbox.feishu.add_chat("群", [user]).chat_id)


def tokens(sandbox: Sandbox) -> int:
    return sandbox.world.calls.count("feishu", "/auth/")


def test_one_token_serves_many_calls(sandbox: Sandbox, port: LarkFeishu, group: Receiver) -> None:
    for number in range(4):
        port.send_text(group, "hi", f"uuid-{number}")
    assert tokens(sandbox) == 1


def test_many_threads_fetch_one_token(sandbox: Sandbox, port: LarkFeishu) -> None:
    at_once = threading.Barrier(8)

    def ask(_: int) -> str:
        at_once.wait(10)
        return port.bot()[0].open_id

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {sandbox.feishu.app.bot_open_id}
    assert tokens(sandbox) == 1


def test_a_token_is_renewed_before_it_ends(sandbox: Sandbox, port: LarkFeishu) -> None:
    port.bot()
    sandbox.world.clock.advance(timedelta(hours=1, minutes=57))
    port.bot()
    assert tokens(sandbox) == 2
    sandbox.world.clock.advance(timedelta(hours=20))
    port.bot()
    assert tokens(sandbox) == 3
    assert sandbox.world.calls.count("feishu", "/bot/v3/info") == 3


def test_a_token_near_its_end_is_used_on_while_no_new_one_is_to_be_had(sandbox: Sandbox, port: LarkFeishu) -> None:
    port.bot()
    sandbox.world.clock.advance(timedelta(hours=1, minutes=57))
    sandbox.world.faults.add(Fault("feishu", CallFault.SERVER_ERROR, path="/auth/", times=-1))
    assert port.bot()[0].open_id
    sandbox.world.clock.advance(timedelta(minutes=10))
    with pytest.raises(Retryable):
        port.bot()


def test_a_refused_token_is_fetched_again_and_the_call_repeated_once(
    sandbox: Sandbox, port: LarkFeishu, group: Receiver
) -> None:
    port.bot()
    sandbox.feishu.store.tokens.clear()
    port.send_text(group, "hi", "uuid-1")
    assert tokens(sandbox) == 2
    assert len(sandbox.feishu.store.messages) == 1


def test_a_token_that_is_refused_for_ever_is_given_up_after_one_repeat() -> None:
    refusal = json.dumps({"code": 99991663, "msg": "Invalid access token"}).encode()
    with Stub(status=200, body=refusal) as stub:
        with pytest.raises(TokenRefused):
            LarkFeishu("cli_a", "s", stub.url, SystemClock()).send_text(Receiver("chat", "oc_1"), "hi", "u")
        assert [path for method, path in stub.calls].count("/open-apis/im/v1/messages?receive_id_type=chat_id") == 2


def test_the_same_app_in_two_places_keeps_its_tokens_apart(sandbox: Sandbox, port: LarkFeishu) -> None:
    app = sandbox.feishu.app
    with Sandbox() as other:
        there = LarkFeishu(app.app_id, app.secret, other.url, other.world.clock)
        assert port.bot()[0].open_id == app.bot_open_id
        assert there.bot()[0].open_id == other.feishu.app.bot_open_id
        assert port.bot()[0].open_id == app.bot_open_id
        assert (tokens(sandbox), tokens(other)) == (1, 1)


def test_a_wrong_secret_is_bad_credentials(sandbox: Sandbox) -> None:
    port = LarkFeishu(sandbox.feishu.app.app_id, "wrong", sandbox.url, sandbox.world.clock)
    with pytest.raises(BadCredentials):
        port.bot()


def test_a_lost_answer_is_repeated_without_a_second_one(sandbox: Sandbox, port: LarkFeishu, group: Receiver) -> None:
    sandbox.world.faults.add(Fault("feishu", CallFault.DROP_ANSWER, path=MESSAGES))
    with pytest.raises(Unreachable):
        port.send_text(group, "hi", "uuid-1")
    message_id = port.send_text(group, "hi", "uuid-1")
    assert list(sandbox.feishu.store.messages) == [message_id]


def test_an_answer_that_comes_too_late_is_unreachable(sandbox: Sandbox, group: Receiver) -> None:
    app = sandbox.feishu.app
    port = LarkFeishu(app.app_id, app.secret, sandbox.url, sandbox.world.clock, timeout=0.5)
    port.bot()
    sandbox.world.faults.add(Fault("feishu", CallFault.LATE, path=MESSAGES, seconds=1.0))
    with pytest.raises(Unreachable):
        port.send_text(group, "hi", "uuid-1")


@pytest.mark.parametrize("kind", [CallFault.SERVER_ERROR, CallFault.ERROR_AFTER, CallFault.DOWN])
def test_a_failing_feishu_is_retryable(sandbox: Sandbox, port: LarkFeishu, group: Receiver, kind: CallFault) -> None:
    sandbox.world.faults.add(Fault("feishu", kind, path=MESSAGES))
    with pytest.raises(Retryable):
        port.send_text(group, "hi", "uuid-1")
    port.send_text(group, "hi", "uuid-1")
    assert len(sandbox.feishu.store.messages) == 1


def test_throttling_says_how_long_to_wait(sandbox: Sandbox, port: LarkFeishu, group: Receiver) -> None:
    sandbox.world.faults.add(Fault("feishu", CallFault.TOO_MANY, path=MESSAGES))
    with pytest.raises(Throttled) as throttled:
        port.send_text(group, "hi", "uuid-1")
    assert throttled.value.after == 1.0


def test_nobody_there_is_unreachable() -> None:
    with Stub() as stub:
        gone = stub.url
    with pytest.raises(Unreachable):
        LarkFeishu("cli_a", "s", gone, SystemClock()).bot()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b"<html>Bad Gateway</html>"),
        (200, b""),
        (200, b"[]"),
        (200, b"null"),
        (200, b'"text"'),
        (200, b'{"msg":"no code"}'),
        (200, b'{"code":"0"}'),
        (200, b'{"code":0,"data":[]}'),
        (200, b'{"code":0,"data":{"message_id":7}}'),
        (200, b"\xff\xfe{}"),
        (200, b"[" * 100_000),
    ],
)
def test_an_answer_that_cannot_be_read_is_unreachable(status: int, body: bytes) -> None:
    with Stub(status, body) as stub:
        port = LarkFeishu("cli_a", "s", stub.url, SystemClock())
        with pytest.raises(Unreachable):
            port.send_text(Receiver("chat", "oc_1"), "hi", "u")
        with pytest.raises(Unreachable):
            port.send_card(Receiver("chat", "oc_1"), "{}", "u")


def test_a_token_answer_that_cannot_be_read_is_unreachable() -> None:
    broken: list[object] = [[], {"code": 0}, {"code": 0, "tenant_access_token": 7, "expire": "soon"}]
    for token in broken:
        with Stub() as stub:
            stub.token = token
            with pytest.raises(Unreachable):
                LarkFeishu("cli_a", "s", stub.url, SystemClock()).bot()


def test_unknown_codes_go_by_the_status_and_the_quota_has_its_own_class() -> None:
    def error(status: int, code: int) -> FeishuError:
        with Stub(status, json.dumps({"code": code, "msg": "?"}).encode(), {"x-ogw-ratelimit-reset": "soon"}) as stub:
            with pytest.raises(FeishuError) as raised:
                LarkFeishu("cli_a", "s", stub.url, SystemClock()).bot()
            return raised.value

    assert isinstance(error(503, 424242), Retryable)
    assert not isinstance(error(400, 424242), Retryable)
    assert isinstance(error(400, 99991403), QuotaGone)
    throttled = error(400, 99991400)
    assert isinstance(throttled, Throttled)
    assert throttled.after == 0.0


def test_connections_are_kept() -> None:
    answer = json.dumps({"code": 0, "data": {"message_id": "om_1"}}).encode()
    with Stub(body=answer) as stub:
        port = LarkFeishu("cli_a", "s", stub.url, SystemClock())
        for number in range(5):
            port.send_text(Receiver("chat", "oc_1"), "hi", f"u{number}")
        assert len(stub.calls) == 6
        assert stub.connections == 1


def test_a_proxy_for_the_outside_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Stub(body=json.dumps({"code": 0, "data": {"message_id": "om_1"}}).encode()) as stub:
        assert (
            LarkFeishu("cli_a", "s", stub.url, SystemClock()).send_text(Receiver("chat", "oc_1"), "hi", "u") == "om_1"
        )


def test_an_id_cannot_climb_out_of_its_path() -> None:
    with Stub() as stub:
        with pytest.raises(FeishuError):
            LarkFeishu("cli_a", "s", stub.url, SystemClock()).user("../../im/v1/chats?a=b")
        path = stub.calls[-1][1]
    assert path.startswith("/open-apis/contact/v3/users/..%2F..%2Fim%2Fv1%2Fchats%3Fa%3Db?")


def test_each_call_leaves_one_line_without_secrets(sandbox: Sandbox, port: LarkFeishu, group: Receiver) -> None:
    with capture_logs() as lines:
        port.send_text(group, "very private words", "uuid-1")
        with pytest.raises(FeishuError):
            port.send_text(Receiver("chat", "oc_none"), "very private words", "uuid-2")
    assert [line["what"] for line in lines] == ["token", "text.send", "text.send"]
    assert [line["code"] == 0 for line in lines] == [True, True, False]
    assert all({"event", "what", "code", "log_id", "ms"} <= line.keys() for line in lines)
    text = json.dumps(lines, ensure_ascii=False)
    for secret in ("private words", sandbox.feishu.app.secret, *sandbox.feishu.store.tokens):
        assert secret not in text
    assert sandbox.feishu.app.secret not in repr(port._caller)
