"""What people do, and what each one's client shows."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.feishu.platform import Feishu
from sandbox.feishu.state import User
from tests.contract.feishu.conftest import Company, Raw, button, card


def shown(feishu: Feishu, who: User) -> dict[str, Any]:
    chats: list[dict[str, Any]] = feishu.snapshot(who.open_id)["chats"]
    return chats[0]


def test_snapshot_is_plain_json_for_one_person(feishu: Feishu, raw: Raw, company: Company) -> None:
    content = card(button("好", {"a": 1}))
    message_id = raw.send(company.group.chat_id, content)["data"]["message_id"]
    feishu.user_sends(company.zhang.open_id, company.group.chat_id, "/投诉 @李四")
    feishu.p2p(company.li.open_id)
    seen = json.loads(json.dumps(feishu.snapshot(company.zhang.open_id)))
    assert seen["me"]["name"] == "张三"
    assert [person["name"] for person in seen["users"]] == ["张三", "李四"]
    (chat,) = seen["chats"]
    assert (chat["kind"], chat["unread"]) == ("group", 0)
    first, second = chat["messages"]
    assert (first["message_id"], first["card"], first["clickable"]) == (message_id, content, True)
    assert first["sender"] == {"kind": "bot", "open_id": feishu.app.bot_open_id, "name": feishu.app.name}
    assert second["text"] == f"@{feishu.app.name} /投诉 @李四"
    assert shown(feishu, company.li)["unread"] == 2


def test_the_world_counts_every_visible_change(feishu: Feishu, raw: Raw, company: Company) -> None:
    versions = [feishu.world.version]
    sent = raw.send(company.group.chat_id, card())["data"]["message_id"]
    versions.append(feishu.world.version)
    raw.call("PATCH", f"/im/v1/messages/{sent}", {"content": json.dumps(card(title="新"))})
    versions.append(feishu.world.version)
    feishu.user_reads(company.zhang.open_id, company.group.chat_id)
    versions.append(feishu.world.version)
    raw.call("DELETE", f"/im/v1/messages/{sent}")
    versions.append(feishu.world.version)
    assert versions == sorted(set(versions))


def test_edit_and_recall(feishu: Feishu, raw: Raw, company: Company) -> None:
    sent = feishu.user_sends(company.zhang.open_id, company.group.chat_id, "旧")
    feishu.user_edits(sent.message_id, "新")
    (message,) = shown(feishu, company.li)["messages"]
    assert (message["text"], message["edited"]) == (f"@{feishu.app.name} 新", True)
    feishu.user_recalls(sent.message_id)
    (message,) = shown(feishu, company.li)["messages"]
    assert message["recalled"]
    assert "text" not in message
    with pytest.raises(ValueError, match="recalled"):
        feishu.user_recalls(sent.message_id)


@pytest.mark.parametrize(
    ("typed", "stored", "people"),
    [
        ("@张三", "@_user_1 @_user_2", ["bot", "张三"]),
        ("@Zhang San 你好", "@_user_1 @_user_2 你好", ["bot", "张三"]),
        ("@运营助手 @张三 @张三", "@_user_1 @_user_2 @_user_2", ["bot", "张三"]),
        ('@_user_7 <at user_id="all"></at>', '@_user_1 @_user_7 <at user_id="all"></at>', ["bot"]),
        ("@所有人", "@_user_1 @_all", ["bot"]),
        ("@nobody", "@_user_1 @nobody", ["bot"]),
    ],
)
def test_mentions_as_typed(typed: str, stored: str, people: list[str], feishu: Feishu, company: Company) -> None:
    sent = feishu.user_sends(company.li.open_id, company.group.chat_id, typed)
    assert sent.content == {"text": stored}
    assert [one.name if one.kind == "user" else "bot" for one in sent.mentions] == people


def test_who_cannot_write(feishu: Feishu, company: Company) -> None:
    outsider = feishu.add_user("外人")
    with pytest.raises(ValueError, match="not in the chat"):
        feishu.user_sends(outsider.open_id, company.group.chat_id, "x")
    private = feishu.p2p(company.li.open_id)
    feishu.user_leaves(company.li.open_id)
    with pytest.raises(ValueError, match="left the company"):
        feishu.user_sends(company.li.open_id, private.chat_id, "x")
    assert company.li.open_id not in company.group.members


def test_a_card_dies_after_14_days(feishu: Feishu, raw: Raw, company: Company) -> None:
    raw.send(company.group.chat_id, card())
    feishu.world.clock.advance(timedelta(days=15))
    assert not shown(feishu, company.zhang)["messages"][0]["clickable"]


def test_names_that_do_not_exist_are_said(feishu: Feishu) -> None:
    for wrong in (feishu.snapshot, feishu.p2p, feishu.user_leaves):
        with pytest.raises(KeyError, match="ou_nobody"):
            wrong("ou_nobody")
