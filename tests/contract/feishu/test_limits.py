"""Limits and refusals of im/v1, by code. docs/platforms/feishu.md ("Errors by code", "Message limits and rates")."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from sandbox.feishu.platform import Feishu
from sandbox.server import Sandbox
from tests.contract.feishu.conftest import Company, Raw, button, card


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def box(shared: Sandbox) -> Sandbox:
    """One sandbox for all cases, with the app as new and no calls counted; each test has a group of its own."""
    shared.feishu.limits.clear()
    shared.feishu.app.availability = None
    shared.feishu.messages.delivered = 0
    return shared


def test_one_chat_takes_five_a_second(raw: Raw, company: Company, feishu: Feishu) -> None:
    codes = [raw.text(company.group.chat_id, str(n))["code"] for n in range(6)]
    assert codes == [0, 0, 0, 0, 0, 230020]
    feishu.world.clock.advance(timedelta(hours=1))
    assert raw.text(company.group.chat_id, "the sandbox clock does not help")["code"] in (230020, 99991663)
    other = feishu.add_chat("别的群", [company.li])
    raw.login(feishu.app.app_id, feishu.app.secret)
    assert raw.text(other.chat_id, "x")["code"] == 0
    time.sleep(1)
    assert raw.text(company.group.chat_id, "x")["code"] == 0


def test_one_message_takes_five_updates_a_second(raw: Raw, company: Company) -> None:
    message_id = raw.send(company.group.chat_id, card(button("好", {"a": 1})))["data"]["message_id"]
    new = {"content": json.dumps(card())}
    codes = [raw.call("PATCH", f"/im/v1/messages/{message_id}", new)["code"] for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, 230020]


def test_an_api_takes_fifty_a_second(raw: Raw, company: Company) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: raw.call("GET", "/bot/v3/info"), range(120)))
    refused = [answer for answer in answers if answer["code"] == 99991400]
    assert 0 < len(refused) <= 70
    assert refused[0]["status"] == 429
    assert int(refused[0]["headers"]["x-ogw-ratelimit-reset"]) >= 1


def test_same_uuid_at_once_posts_once(raw: Raw, company: Company, feishu: Feishu) -> None:
    once = secrets.token_hex(25)
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda _: raw.text(company.group.chat_id, "x", uuid=once), range(4)))
    assert len({answer["data"]["message_id"] for answer in sent}) == 1
    assert feishu.messages.delivered == 1
    assert raw.text(company.group.chat_id, "x", uuid="u" * 51)["code"] == 230001


Case = Callable[[Raw, Feishu, Company], dict[str, Any]]


def _to(raw: Raw, kind: str, receiver: str) -> dict[str, Any]:
    body = {"receive_id": receiver, "msg_type": "text", "content": '{"text":"x"}'}
    return raw.call("POST", "/im/v1/messages", body, receive_id_type=kind)


def _sent(raw: Raw, company: Company) -> str:
    return str(raw.send(company.group.chat_id, card())["data"]["message_id"])


def _patch(raw: Raw, message_id: str) -> dict[str, Any]:
    return raw.call("PATCH", f"/im/v1/messages/{message_id}", {"content": json.dumps(card())})


def _removed(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    feishu.remove_bot(company.group.chat_id)
    return raw.text(company.group.chat_id, "x")


def _dissolved(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    company.group.dissolved = True
    return raw.text(company.group.chat_id, "x")


def _muted(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    company.group.muted = True
    return raw.text(company.group.chat_id, "x")


def _unavailable(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    feishu.app.availability = {company.li.open_id}
    return _to(raw, "open_id", company.zhang.open_id)


def _resigned_p2p(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    chat = feishu.p2p(company.li.open_id)
    feishu.user_leaves(company.li.open_id)
    return raw.text(chat.chat_id, "x")


def _expired(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    message_id = _sent(raw, company)
    feishu.world.clock.advance(timedelta(days=14, seconds=1))
    raw.login(feishu.app.app_id, feishu.app.secret)
    return _patch(raw, message_id)


def _recalled(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    message_id = _sent(raw, company)
    raw.call("DELETE", f"/im/v1/messages/{message_id}")
    return _patch(raw, message_id)


def _reply_recalled(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    message = feishu.user_sends(company.zhang.open_id, company.group.chat_id, "x")
    feishu.user_recalls(message.message_id)
    body = {"msg_type": "text", "content": '{"text":"x"}'}
    return raw.call("POST", f"/im/v1/messages/{message.message_id}/reply", body)


def _of_another_bot(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    message_id = _sent(raw, company)
    other = feishu.store.add_app("cli_other", "s", "", "v", "别的机器人")
    feishu.add_bot(company.group.chat_id, app=other)
    raw.login("cli_other", "s")
    return _patch(raw, message_id)


def _text_patched(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    return _patch(raw, raw.text(company.group.chat_id, "x")["data"]["message_id"])


def _edited_too_often(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    message_id = raw.text(company.group.chat_id, "x")["data"]["message_id"]
    feishu.store.message(message_id).edits = 20
    return raw.call("PUT", f"/im/v1/messages/{message_id}", {"msg_type": "text", "content": '{"text":"y"}'})


def _card_edited(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    return raw.call("PUT", f"/im/v1/messages/{_sent(raw, company)}", {"msg_type": "text", "content": "{}"})


def _others_recalled(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    message = feishu.user_sends(company.zhang.open_id, company.group.chat_id, "x")
    return raw.call("DELETE", f"/im/v1/messages/{message.message_id}")


def _without_token(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    raw.token = ""
    return raw.text(company.group.chat_id, "x")


def _odd_token(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    raw.token = "hello"
    return raw.text(company.group.chat_id, "x")


def _unknown_token(raw: Raw, feishu: Feishu, company: Company) -> dict[str, Any]:
    raw.token = "t-unknown"
    return raw.text(company.group.chat_id, "x")


CASES: dict[str, tuple[int, Case]] = {
    "no token": (99991661, _without_token),
    "odd token": (99991671, _odd_token),
    "unknown token": (99991663, _unknown_token),
    "no such chat": (230001, lambda raw, feishu, company: raw.text("oc_nothing", "x")),
    "no such person": (99992351, lambda raw, feishu, company: _to(raw, "open_id", "ou_nobody")),
    "no such user_id": (99992360, lambda raw, feishu, company: _to(raw, "user_id", "nobody")),
    "no such email": (230034, lambda raw, feishu, company: _to(raw, "email", "nobody@example.com")),
    "unknown kind of id": (99992402, lambda raw, feishu, company: _to(raw, "thread_id", "omt_x")),
    "nothing to send": (99992402, lambda raw, feishu, company: raw.send(company.group.chat_id, "")),
    "bot removed": (230002, _removed),
    "chat dissolved": (232009, _dissolved),
    "chat muted": (230035, _muted),
    "not available to the person": (230013, _unavailable),
    "person resigned": (230013, _resigned_p2p),
    "text of 151 KB": (230025, lambda raw, feishu, company: raw.text(company.group.chat_id, "x" * 151 * 1024)),
    "post of 31 KB": (
        230025,
        lambda raw, feishu, company: raw.send(company.group.chat_id, {"zh_cn": {"title": "x" * 31 * 1024}}, "post"),
    ),
    "empty text": (230001, lambda raw, feishu, company: raw.text(company.group.chat_id, "")),
    "content is no JSON": (230001, lambda raw, feishu, company: raw.send(company.group.chat_id, "hello", "text")),
    "unknown type": (230001, lambda raw, feishu, company: raw.send(company.group.chat_id, {}, "video")),
    "unknown picture": (
        230001,
        lambda raw, feishu, company: raw.send(company.group.chat_id, {"image_key": "img_x"}, "image"),
    ),
    "unknown post tag": (
        230001,
        lambda raw, feishu, company: raw.send(company.group.chat_id, {"zh_cn": {"content": [[{"tag": "b"}]]}}, "post"),
    ),
    "no such message": (99992354, lambda raw, feishu, company: _patch(raw, "om_nothing")),
    "card older than 14 days": (230031, _expired),
    "card recalled": (230011, _recalled),
    "reply to a recalled message": (230011, _reply_recalled),
    "card of another bot": (230012, _of_another_bot),
    "text patched": (230001, _text_patched),
    "edited 20 times": (230072, _edited_too_often),
    "card edited": (230054, _card_edited),
    "somebody's message recalled": (230026, _others_recalled),
    "foreign chat": (
        232006,
        lambda raw, feishu, company: raw.call("GET", "/im/v1/chats/oc_nothing"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refusal(name: str, raw: Raw, feishu: Feishu, company: Company) -> None:
    code, run = CASES[name]
    answer = run(raw, feishu, company)
    assert (answer["code"], answer["status"]) == (code, 400)
    assert answer["error"]["log_id"] == answer["headers"]["X-Tt-Logid"]


def test_pictures_that_are_none(raw: Raw, feishu: Feishu) -> None:
    def upload(data: bytes) -> int:
        answer = raw.http.post(
            "/open-apis/im/v1/images",
            data={"image_type": "message"},
            files={"image": ("a.png", data, "image/png")},
            headers={"Authorization": f"Bearer {raw.token}"},
        )
        return int(answer.json()["code"])

    assert upload(b"") == 234010
    assert upload(b"hello") == 234011
    assert upload(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xff\x00\x00\x00\x01") == 234039
    assert upload(b"\xff\xd8\xff" + b"x" * 10 * 1024 * 1024) == 234006
    assert upload(b"\xff\xd8\xff") == 0


def test_paging_wants_numbers_in_range(raw: Raw, company: Company) -> None:
    query = {"container_id_type": "chat", "container_id": company.group.chat_id}
    assert raw.call("GET", "/im/v1/messages", page_size="51", **query)["code"] == 99992402
    assert raw.call("GET", "/im/v1/messages", page_size="many", **query)["code"] == 99992402
