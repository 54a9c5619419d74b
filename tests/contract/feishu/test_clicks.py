"""What a person can click, what the app may answer, and what the client shows.

See docs/platforms/feishu.md ("Forms and clicks", "Card callback answer").
"""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from flask import Response

from sandbox.faults import Fault, PushFault
from sandbox.feishu.errors import CannotClick
from sandbox.feishu.platform import Feishu
from tests.contract.feishu.conftest import Company, Raw, Receiver, button, card, plain, refund_form, until


@pytest.fixture
def wired(feishu: Feishu, receiver: Receiver) -> Receiver:
    feishu.app.event_url = receiver.url
    feishu.app.encrypt_key = ""
    return receiver


def answering(content: object, status: int = 200) -> Any:
    text = content if isinstance(content, str) else json.dumps(content)
    return lambda: Response(text, status, content_type="application/json")


def post(raw: Raw, company: Company, *elements: dict[str, Any]) -> str:
    return str(raw.send(company.group.chat_id, card(*elements))["data"]["message_id"])


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ({}, 200, 0),
        ({"toast": {"type": "info", "content": "好"}}, 200, 0),
        ({"card": {"type": "raw", "data": card()}}, 200, 0),
        ({}, 500, 200671),
        ({}, 302, 200671),
        ("", 200, 200672),
        ("null", 200, 200672),
        ([], 200, 200672),
        ({"toast": "好"}, 200, 200672),
        ({"toast": {"type": "loud"}}, 200, 200672),
        ({"card": {"data": card()}}, 200, 200672),
        ({"card": {"type": "raw", "data": json.dumps(card())}}, 200, 200673),
        ({"card": {"type": "raw", "data": card({"tag": "note"})}}, 200, 200673),
        ({"card": {"type": "raw", "data": {"elements": []}}}, 200, 200830),
    ],
)
def test_answers(
    content: object, status: int, code: int, feishu: Feishu, wired: Receiver, raw: Raw, company: Company
) -> None:
    message_id = post(raw, company, button("好", {"a": 1}))
    wired.answer = answering(content, status)
    before = feishu.store.message(message_id).content
    result = feishu.click(company.zhang.open_id, message_id, value={"a": 1})
    assert result.code == code
    assert result.updated == (code == 0 and isinstance(content, dict) and "card" in content)
    assert (feishu.store.message(message_id).content == before) != result.updated


def test_no_address_no_connection_no_answer(feishu: Feishu, raw: Raw, company: Company) -> None:
    message_id = post(raw, company, button("好", {"a": 1}))
    assert feishu.click_button(company.zhang.open_id, message_id, "好").code == 200340
    feishu.app.card_url = "http://127.0.0.1:9/"
    assert feishu.click_button(company.zhang.open_id, message_id, "好").code == 200342
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        feishu.app.card_url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        result = feishu.click_button(company.zhang.open_id, message_id, "好")
    assert result.code == 200341
    assert 2900 < result.elapsed_ms < 4500


def test_what_the_client_does_not_let_happen(feishu: Feishu, wired: Receiver, raw: Raw, company: Company) -> None:
    zhang = company.zhang.open_id
    message_id = post(
        raw,
        company,
        button("关", {"a": 1}, disabled=True, disabled_tips=plain("已完成")),
        button("链接", behaviors=[{"type": "open_url", "default_url": "https://example.com"}]),
        refund_form(max_length=5),
    )
    for label, form, reason in (
        ("关", None, "已完成"),
        ("没有", None, "no button"),
        ("链接", None, "no callback"),
        ("提交", None, "'amount' is required"),
        ("提交", {"amount": "123456"}, "at most 5"),
        ("提交", {"amount": "1", "reason": "colour"}, "does not offer"),
        ("提交", {"amount": "1", "sum": "2"}, "no field"),
    ):
        with pytest.raises(CannotClick, match=reason):
            feishu.click_button(zhang, message_id, label, form)
    outsider = feishu.add_user("外人")
    with pytest.raises(CannotClick, match="does not see"):
        feishu.click_button(outsider.open_id, message_id, "关")
    feishu.world.clock.advance(timedelta(days=14, minutes=1))
    with pytest.raises(CannotClick, match="14 days"):
        feishu.click_button(zhang, message_id, "提交", {"amount": "1"})
    assert not wired.seen


def test_recalled_and_dead_cards(feishu: Feishu, wired: Receiver, raw: Raw, company: Company) -> None:
    message_id = post(raw, company, button("好", {"a": 1}))
    raw.call("DELETE", f"/im/v1/messages/{message_id}")
    with pytest.raises(CannotClick, match="recalled"):
        feishu.click_button(company.zhang.open_id, message_id, "好")


def actions(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body)["event"]["action"] for _, body in receiver.seen]


def test_every_kind_of_action(feishu: Feishu, wired: Receiver, raw: Raw, company: Company) -> None:
    zhang = company.zhang.open_id
    call = {"behaviors": [{"type": "callback", "value": {"act": "x"}}]}
    options = [{"text": plain("处理中", en_us="Open"), "value": "open"}]
    column = {"tag": "column", "elements": [button("深处", {"deep": 1})]}
    panel = {"tag": "collapsible_panel", "header": {"title": plain("更多")}}
    message_id = post(
        raw,
        company,
        {"tag": "select_static", "options": options, **call},
        {"tag": "input", **call},
        {"tag": "checker", "text": plain("好"), **call},
        {"tag": "overflow", "options": [{"text": plain("导出"), "value": "export"}], **call},
        {"tag": "select_person", "name": "who", **call},
        {"tag": "date_picker", **call},
        {**panel, "elements": [{"tag": "column_set", "columns": [column]}]},
    )
    feishu.choose(zhang, message_id, "Open")
    feishu.click(zhang, message_id, element=1, input_value="你好")
    feishu.click(zhang, message_id, element=2)
    feishu.choose(zhang, message_id, "导出")
    feishu.click(zhang, message_id, name="who", option=company.li.open_id)
    feishu.click(zhang, message_id, element="body.elements.5", option="2026-01-02")
    feishu.click_button(zhang, message_id, "深处")
    value = {"value": {"act": "x"}}
    assert actions(wired) == [
        {"tag": "select_static", **value, "option": "open"},
        {"tag": "input", **value, "input_value": "你好"},
        {"tag": "checker", **value, "checked": True},
        {"tag": "overflow", **value, "option": "export"},
        {"tag": "select_person", "name": "who", **value, "option": company.li.open_id},
        {"tag": "date_picker", **value, "option": "2026-01-02 +0800", "timezone": "Asia/Shanghai"},
        {"tag": "button", "value": {"deep": 1}},
    ]


def test_a_form_sends_defaults_and_what_was_filled_in(
    feishu: Feishu, wired: Receiver, raw: Raw, company: Company
) -> None:
    form = refund_form(default_value="9.90")
    form["elements"][-1]["confirm"] = {"title": plain("确认退款")}
    message_id = post(raw, company, form)
    result = feishu.click_button(company.zhang.open_id, message_id, "提交", {"reason": "Delivery"})
    assert result.confirm == {"title": plain("确认退款")}
    assert actions(wired)[0]["form_value"] == {"amount": "9.90", "note": "", "reason": "delivery"}


def test_delayed_update(feishu: Feishu, wired: Receiver, raw: Raw, company: Company) -> None:
    def update(token: str, content: object) -> int:
        return int(raw.call("POST", "/interactive/v1/card/update", {"token": token, "card": content})["code"])

    message_id = post(raw, company, button("好", {"a": 1}))
    token = feishu.click_button(company.zhang.open_id, message_id, "好").token
    done = card(button("完成", {"a": 2}))
    assert update("x", done) == 300020
    assert update(token, card({"tag": "note"})) == 11311
    assert update(token, done) == 0
    assert feishu.store.message(message_id).content == done
    assert update(token, done) == 0
    assert update(token, done) == 300040
    token = feishu.click_button(company.zhang.open_id, message_id, "完成").token
    feishu.world.clock.advance(timedelta(minutes=31))
    assert update(token, done) == 300030
    assert wired.seen


def test_an_update_before_the_answer_snaps_back(feishu: Feishu, wired: Receiver, raw: Raw, company: Company) -> None:
    message_id = post(raw, company, button("好", {"a": 1}))
    before = feishu.store.message(message_id).content
    codes: list[int] = []

    def answer() -> Response:
        token = json.loads(wired.seen[-1][1])["event"]["token"]
        codes.append(raw.call("POST", "/interactive/v1/card/update", {"token": token, "card": card()})["code"])
        return Response("{}", content_type="application/json")

    wired.answer = answer
    assert feishu.click_button(company.zhang.open_id, message_id, "好").ok
    assert codes == [0]
    assert feishu.store.message(message_id).content == before


def test_an_update_by_patch_before_the_answer_stays(
    feishu: Feishu, wired: Receiver, raw: Raw, company: Company
) -> None:
    message_id = post(raw, company, button("好", {"a": 1}))
    after = card(button("已接", {"a": 2}))

    def answer() -> Response:
        raw.call("PATCH", f"/im/v1/messages/{message_id}", {"content": json.dumps(after)})
        return Response("{}", content_type="application/json")

    wired.answer = answer
    result = feishu.click_button(company.zhang.open_id, message_id, "好")
    assert result.updated
    assert feishu.store.message(message_id).content == after


@pytest.mark.parametrize(("kind", "calls", "code"), [(PushFault.LOSE, 0, 200341), (PushFault.REPEAT, 2, 0)])
def test_faults_of_a_click(
    kind: PushFault, calls: int, code: int, feishu: Feishu, wired: Receiver, raw: Raw, company: Company
) -> None:
    message_id = post(raw, company, button("好", {"a": 1}))
    feishu.world.faults.add(Fault("feishu", kind, path="card.action"))
    assert feishu.click_button(company.zhang.open_id, message_id, "好").code == code
    assert len(wired.seen) == calls


def test_a_click_that_arrives_late(feishu: Feishu, wired: Receiver, raw: Raw, company: Company) -> None:
    message_id = post(raw, company, button("好", {"a": 1}))
    feishu.world.faults.add(Fault("feishu", PushFault.DELAY, path="card.action", seconds=60))
    assert feishu.click_button(company.zhang.open_id, message_id, "好").code == 200341
    feishu.world.clock.advance(timedelta(seconds=61))
    wired.wait(1)


def test_two_people_at_once(feishu: Feishu, wired: Receiver, raw: Raw, company: Company) -> None:
    message_id = post(raw, company, button("好", {"a": 1}))
    both = threading.Barrier(2, timeout=5)

    def answer() -> Response:
        both.wait()
        return Response("{}", content_type="application/json")

    wired.answer = answer
    results: list[int] = []

    def press(open_id: str) -> None:
        results.append(feishu.click_button(open_id, message_id, "好").code)

    threads = [threading.Thread(target=press, args=(one.open_id,)) for one in (company.zhang, company.li)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [0, 0]


def test_the_world_is_not_locked_while_an_app_thinks(
    feishu: Feishu, wired: Receiver, raw: Raw, company: Company
) -> None:
    message_id = post(raw, company, button("好", {"a": 1}))
    release = threading.Event()

    def answer() -> Response:
        release.wait(2)
        return Response("{}", content_type="application/json")

    wired.answer = answer
    thread = threading.Thread(target=feishu.click_button, args=(company.zhang.open_id, message_id, "好"))
    thread.start()
    until(lambda: bool(wired.seen), 5, "the click")
    started = time.monotonic()
    assert feishu.snapshot(company.li.open_id)["chats"]
    assert time.monotonic() - started < 1
    release.set()
    thread.join()
