"""How events travel: signature, ladder of retries, faults, subscriptions, faults of calls."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from flask import Response

from sandbox.faults import CallFault, Fault, PushFault
from sandbox.feishu.envelope import encrypt, signature
from sandbox.feishu.platform import Feishu
from sandbox.server import Sandbox
from tests.contract.feishu.conftest import Company, Raw, Receiver, until


@pytest.fixture
def listening(feishu: Feishu, receiver: Receiver) -> Receiver:
    feishu.app.event_url = receiver.url
    feishu.app.encrypt_key = ""
    return receiver


def event_of(seen: tuple[dict[str, str], bytes]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(seen[1])
    return content


def test_known_answers_of_encryption_and_signature() -> None:
    assert encrypt("ekey", b'{"a":1}', bytes(range(16))) == "AAECAwQFBgcICQoLDA0OD9f1Zsz5LL+/ejHmq91a9jg="
    expected = "2315e73f69372ce25748c28a6347e3a2c7119b9ff2c0d63e24e9dbb663f04d74"
    assert signature("1700000000", "n0", "ekey", b'{"encrypt":"x"}') == expected


def test_signature_covers_the_bytes_sent(feishu: Feishu, receiver: Receiver, company: Company) -> None:
    feishu.app.event_url = receiver.url
    feishu.user_sends(company.zhang.open_id, company.group.chat_id, "你好")
    receiver.wait(1)
    headers, body = receiver.seen[0]
    assert set(json.loads(body)) == {"encrypt"}
    parts = headers["X-Lark-Request-Timestamp"] + headers["X-Lark-Request-Nonce"] + feishu.app.encrypt_key
    assert headers["X-Lark-Signature"] == hashlib.sha256(parts.encode() + body).hexdigest()


def test_ladder_of_retries_on_the_sandbox_clock(feishu: Feishu, listening: Receiver, company: Company) -> None:
    listening.answer = lambda: Response("no", 500)
    feishu.user_sends(company.zhang.open_id, company.group.chat_id, "你好")
    listening.wait(1)
    (attempt,) = feishu.world.deliveries.attempts
    for wait in (15, 300, 3600, 21600):
        tries = len(listening.seen)
        until(partial(lambda tries: attempt.tries == tries, tries), 5, "the end of the try before")
        feishu.world.clock.advance(timedelta(seconds=wait - 1))
        assert len(listening.seen) == tries
        feishu.world.clock.advance(timedelta(seconds=2))
        listening.wait(tries + 1)
    until(lambda: attempt.given_up, 5, "giving up")
    assert len({event_of(seen)["header"]["event_id"] for seen in listening.seen}) == 1


def test_a_late_answer_is_no_answer(feishu: Feishu, listening: Receiver, company: Company) -> None:
    listening.answer = lambda: Response("{}", 302)
    feishu.user_sends(company.zhang.open_id, company.group.chat_id, "你好")
    listening.wait(1)
    (attempt,) = feishu.world.deliveries.attempts
    until(lambda: attempt.answers == [302], 5, "the redirect")
    assert not attempt.delivered


@pytest.mark.parametrize("kind", list(PushFault))
def test_push_faults(kind: PushFault, feishu: Feishu, listening: Receiver, company: Company) -> None:
    def say(text: str) -> None:
        feishu.user_sends(company.zhang.open_id, company.group.chat_id, text)

    def texts() -> list[str]:
        return [json.loads(event_of(seen)["event"]["message"]["content"])["text"][-1] for seen in listening.seen]

    feishu.app.encrypt_key = "k" if kind is PushFault.TAMPER else ""
    feishu.world.faults.add(Fault("feishu", kind, path="im.message", seconds=600))
    if kind is PushFault.TAMPER:
        listening.answer = lambda: Response("", 200 if len(listening.seen) > 1 else 401)
        say("1")
        listening.wait(1)
        until(lambda: feishu.world.deliveries.attempts[0].tries == 1, 5, "the refusal")
        feishu.world.clock.advance(timedelta(seconds=16))
        listening.wait(2)
        good = [signature_holds(feishu, seen) for seen in listening.seen]
        assert good == [False, True]
        return
    say("1")
    say("2")
    if kind is PushFault.REPEAT:
        listening.wait(3)
        assert sorted(texts()) == ["1", "1", "2"]
    elif kind is PushFault.REORDER:
        listening.wait(2)
        assert texts() == ["2", "1"]
    elif kind is PushFault.LOSE:
        listening.wait(1)
        assert texts() == ["2"]
    else:
        listening.wait(1)
        assert texts() == ["2"]
        feishu.world.clock.advance(timedelta(seconds=601))
        listening.wait(2)
        assert texts() == ["2", "1"]


def signature_holds(feishu: Feishu, seen: tuple[dict[str, str], bytes]) -> bool:
    headers, body = seen
    timestamp, nonce = headers["X-Lark-Request-Timestamp"], headers["X-Lark-Request-Nonce"]
    return headers["X-Lark-Signature"] == signature(timestamp, nonce, feishu.app.encrypt_key, body)


def test_only_subscribed_events_go_out(feishu: Feishu, listening: Receiver, company: Company) -> None:
    feishu.app.subscriptions = {"application.bot.menu_v6"}
    feishu.user_sends(company.zhang.open_id, company.group.chat_id, "你好")
    feishu.bot_menu(company.zhang.open_id, "home")
    listening.wait(1)
    assert event_of(listening.seen[0])["header"]["event_type"] == "application.bot.menu_v6"


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (lambda: Response('{"challenge":"other"}'), "HTTP 200"),
        (lambda: Response("nothing"), "not JSON"),
        (lambda: Response("{}", 500), "HTTP 500"),
    ],
)
def test_wrong_challenge(answer: Any, detail: str, feishu: Feishu, listening: Receiver) -> None:
    listening.answer = answer
    outcome = feishu.verify_callback()
    assert not outcome.ok
    assert detail in outcome.detail


def test_no_answer_to_the_challenge(feishu: Feishu) -> None:
    feishu.app.event_url = "http://127.0.0.1:9/"
    assert "not reachable" in feishu.verify_callback().detail


def test_a_dropped_answer_took_effect_and_a_dead_line_did_not(box: Sandbox, raw: Raw, company: Company) -> None:
    for kind, posted in ((CallFault.DROP_ANSWER, 1), (CallFault.DOWN, 1)):
        box.world.faults.add(Fault("feishu", kind, path="im/v1/messages"))
        with pytest.raises(httpx.RemoteProtocolError):
            raw.text(company.group.chat_id, "x", uuid="same")
        assert box.feishu.messages.delivered == posted
    assert raw.text(company.group.chat_id, "x", uuid="same")["code"] == 0
    assert box.feishu.messages.delivered == 1
    statuses = [call.status for call in box.world.calls.since() if call.path.endswith("/messages")]
    assert statuses == [0, 0, 200]


def test_throttling_and_errors_on_demand(box: Sandbox, raw: Raw, company: Company) -> None:
    box.world.faults.add(Fault("feishu", CallFault.TOO_MANY))
    throttled = raw.text(company.group.chat_id, "x")
    assert (throttled["status"], throttled["code"]) == (429, 99991400)
    assert throttled["headers"]["x-ogw-ratelimit-reset"] == "1"
    box.world.faults.add(Fault("feishu", CallFault.SERVER_ERROR))
    assert raw.text(company.group.chat_id, "x")["status"] == 500
    assert box.feishu.messages.delivered == 0
    box.world.faults.add(Fault("feishu", CallFault.ERROR_AFTER))
    assert raw.text(company.group.chat_id, "x")["status"] == 500
    assert box.feishu.messages.delivered == 1


def test_secrets_stay_out_of_the_log_of_calls(box: Sandbox, raw: Raw) -> None:
    assert box.feishu.app.secret not in str(box.world.calls.since())


def test_stop_breaks_kept_connections(company: Company) -> None:
    box = Sandbox().start()
    with httpx.Client(base_url=box.url, trust_env=False) as http:
        assert http.get("/open-apis/nothing").status_code == 404
        box.stop()
        with pytest.raises(httpx.HTTPError):
            http.get("/open-apis/nothing")
