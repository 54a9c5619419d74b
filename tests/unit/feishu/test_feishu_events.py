from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feishu.envelope import Envelope
from bot.feishu.events import EVENT_TYPES, Malformed, parse
from bot.feishu.values import (
    BotAddedToChat,
    BotMenu,
    BotRemovedFromChat,
    CardClicked,
    ChatDisbanded,
    FeishuUser,
    Mentioned,
    MessageRecalled,
    MessageReceived,
    Other,
    P2pEntered,
    UserChanged,
    UserLeft,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOT = "ou_bot"


def envelope(event_type: str, event: dict[str, Any]) -> Envelope:
    return Envelope("id", event_type, "2.0", NOW, event)


def message(content: object, kind: str = "text", mentions: object = None, **more: Any) -> dict[str, Any]:
    return {
        "sender": {"sender_id": {"union_id": "on_1", "open_id": "ou_1"}, "sender_type": "user", "tenant_key": "tk"},
        "message": {
            "message_id": "om_1",
            "create_time": "1767225599000",
            "chat_id": "oc_1",
            "chat_type": "group",
            "message_type": kind,
            "content": json.dumps(content),
            **({"mentions": mentions} if mentions is not None else {}),
            **more,
        },
    }


def mention(number: int, open_id: str, name: str = "n") -> dict[str, Any]:
    return {"key": f"@_user_{number}", "id": {"open_id": open_id}, "name": name, "mentioned_type": "user"}


def received(event: dict[str, Any], bot: str = BOT) -> MessageReceived:
    value = parse(envelope("im.message.receive_v1", event), bot)
    assert isinstance(value, MessageReceived)
    return value


def test_a_message_to_the_bot() -> None:
    event = message(
        {"text": "@_user_1 claim C1024"}, mentions=[mention(1, BOT)], parent_id="om_0", thread_id="omt_1", unknown=[1]
    )
    assert received(event) == MessageReceived(
        message_id="om_1",
        chat_id="oc_1",
        chat_type="group",
        sender_open_id="ou_1",
        sender_type="user",
        text="claim C1024",
        mentions_bot=True,
        created_at=datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC),
        parent_id="om_0",
        thread_id="omt_1",
    )


def test_other_people_become_tokens_and_are_listed() -> None:
    value = received(
        message({"text": "@_user_1 /授权 @_user_2 operator"}, mentions=[mention(1, BOT), mention(2, "ou_2", "周<b>")])
    )
    assert value.text == "/授权 @{ou_2} operator"
    assert value.mentions == (Mentioned("ou_2", "周<b>"),)


def test_a_key_that_begins_like_another_is_not_mistaken_for_it() -> None:
    mentions = [mention(number, f"ou_{number}") for number in range(1, 13)]
    assert received(message({"text": "@_user_12 @_user_1"}, mentions=mentions)).text == "@{ou_12} @{ou_1}"


def test_a_key_that_nobody_explains_stays_as_it_was_typed() -> None:
    assert received(message({"text": "@_user_7 hi"})).text == "@_user_7 hi"


def test_the_bot_in_the_middle_leaves_one_space_and_the_lines() -> None:
    value = received(message({"text": "请 @_user_1 看\n第二行  两格"}, mentions=[mention(1, BOT)]))
    assert value.text == "请 看\n第二行  两格"


def test_all_are_told_apart_from_the_bot() -> None:
    value = received(message({"text": "@_all 大家好"}))
    assert (value.text, value.mentions_all, value.mentions_bot) == ("@{all} 大家好", True, False)


def test_a_bot_that_does_not_know_itself_is_not_mentioned() -> None:
    event = message({"text": "@_user_1 hi"}, mentions=[{"key": "@_user_1", "name": "x"}])
    assert received(event, bot="").mentions_bot is False
    assert received(event, bot="").text == "@x hi"


def test_rich_text_is_read_line_by_line() -> None:
    content = {
        "title": "标题",
        "content": [
            [
                {"tag": "at", "user_id": "@_user_1"},
                {"tag": "text", "text": " /退款 "},
                {"tag": "img", "image_key": "k"},
            ],
            [{"tag": "a", "text": "单", "href": "https://x"}, {"tag": "at", "user_id": "@_user_2", "user_name": "周"}],
            [{"tag": "at", "user_id": "all"}, "broken", {"tag": "code_block", "text": "C1"}],
        ],
    }
    value = received(message(content, "post", [mention(1, BOT), mention(2, "ou_2")]))
    assert value.text == "标题\n/退款\n[单](https://x)@{ou_2}\n@{all}C1"
    assert value.mentions_bot
    assert value.mentions_all


def test_pictures_have_no_words() -> None:
    value = received(message({"image_key": "img_1"}, "image"))
    assert (value.text, value.message_type) == ("", "image")


@pytest.mark.parametrize("content", ["", "not json", "[]", "null", '{"text":7}', "[" * 100_000])
def test_unreadable_content_is_an_empty_text(content: str) -> None:
    event = message({})
    event["message"]["content"] = content
    assert received(event).text == ""


def test_half_a_surrogate_pair_does_not_get_through() -> None:
    received(message({"text": "a\ud800b"})).text.encode()


def test_recalled() -> None:
    event = {"message_id": "om_1", "chat_id": "oc_1", "recall_time": "1767225600000", "recall_type": "message_owner"}
    assert parse(envelope("im.message.recalled_v1", event), BOT) == MessageRecalled("om_1", "oc_1", NOW)


def test_a_click_on_a_button() -> None:
    event = {
        "operator": {"open_id": "ou_1"},
        "token": "c-1",
        "action": {"value": {"act": "x"}, "tag": "button", "name": "ok", "timezone": "Asia/Shanghai"},
        "context": {"open_message_id": "om_1", "open_chat_id": "oc_1"},
        "host": "im_message",
    }
    value = parse(envelope("card.action.trigger", event), BOT)
    assert isinstance(value, CardClicked)
    assert (value.operator_open_id, value.message_id, value.chat_id) == ("ou_1", "om_1", "oc_1")
    assert (value.value, value.tag, value.name, value.token) == ({"act": "x"}, "button", "ok", "c-1")
    assert value.timezone == "Asia/Shanghai"


def test_a_form() -> None:
    form = {"amount": "1.00", "people": ["ou_1", 7], "urgent": True, "count": 3, "odd": {"a": 1}, "none": None}
    event = {"operator": {"open_id": "ou_1"}, "action": {"form_value": form}, "context": {}}
    value = parse(envelope("card.action.trigger", event), BOT)
    assert isinstance(value, CardClicked)
    assert dict(value.form) == {"amount": "1.00", "people": ("ou_1",), "urgent": "true", "count": "3"}


@pytest.mark.parametrize("value", ["text", 7, ["a"], None, {"a": 1}])
def test_a_button_may_carry_anything(value: object) -> None:
    click = parse(envelope("card.action.trigger", {"operator": {"open_id": "ou_1"}, "action": {"value": value}}), BOT)
    assert isinstance(click, CardClicked)
    assert click.value == value


def test_components_outside_a_form() -> None:
    action = {"option": "a", "options": ["b", 1], "input_value": "c", "checked": False}
    click = parse(envelope("card.action.trigger", {"operator": {"open_id": "ou_1"}, "action": action}), BOT)
    assert isinstance(click, CardClicked)
    assert (click.option, click.options, click.input_value, click.checked) == ("a", ("b",), "c", False)


def test_people_and_chats() -> None:
    operator = {"operator_id": {"open_id": "ou_1"}}
    person = {"open_id": "ou_1", "name": "周", "en_name": "Zhou", "status": {"is_frozen": True}}
    cases: list[tuple[str, dict[str, Any], object]] = [
        ("contact.user.deleted_v3", {"object": person, "old_object": {}}, UserLeft("ou_1")),
        ("contact.user.deleted_v3", {"old_object": {"open_id": "ou_1"}}, UserLeft("ou_1")),
        ("contact.user.updated_v3", {"object": person}, UserChanged(FeishuUser("ou_1", "周", "Zhou", active=False))),
        ("contact.user.updated_v3", {"object": {"open_id": "ou_1"}}, UserChanged(FeishuUser("ou_1", ""))),
        (
            "im.chat.member.bot.added_v1",
            {"chat_id": "oc_1", "name": "群", **operator},
            BotAddedToChat("oc_1", "群", "ou_1"),
        ),
        ("im.chat.member.bot.deleted_v1", {"chat_id": "oc_1"}, BotRemovedFromChat("oc_1", "", "")),
        ("im.chat.disbanded_v1", {"chat_id": "oc_1", "name": "群"}, ChatDisbanded("oc_1", "群")),
        (
            "application.bot.menu_v6",
            {"operator": operator, "event_key": "home", "timestamp": 1},
            BotMenu("ou_1", "home"),
        ),
        ("im.chat.access_event.bot_p2p_chat_entered_v1", {"chat_id": "oc_1", **operator}, P2pEntered("ou_1", "oc_1")),
        ("p2p_chat_create", {"chat_id": "oc_1", "user": {"open_id": "ou_1"}}, P2pEntered("ou_1", "oc_1")),
        ("im.message.message_read_v1", {}, Other("im.message.message_read_v1")),
        ("moon.phase.changed_v9", {"a": [1]}, Other("moon.phase.changed_v9")),
    ]
    for event_type, event, expected in cases:
        assert parse(envelope(event_type, event), BOT) == expected


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_an_event_without_what_it_is_about_is_malformed(event_type: str) -> None:
    with pytest.raises(Malformed, match="missing"):
        parse(envelope(event_type, {}), BOT)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from(
    [
        "message",
        "sender",
        "sender_id",
        "open_id",
        "message_id",
        "chat_id",
        "content",
        "mentions",
        "key",
        "id",
        "object",
        "old_object",
        "status",
        "operator",
        "operator_id",
        "action",
        "form_value",
        "context",
        "open_message_id",
        "event_key",
        "message_type",
        "text",
        "user",
    ]
)
EVENTISH = st.recursive(
    st.just("om_1") | st.just("text") | st.just('{"text":"@_user_1"}') | JSON,
    lambda inner: st.dictionaries(KEYS, inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(
    event_type=st.sampled_from(EVENT_TYPES),
    event=st.dictionaries(KEYS, EVENTISH, max_size=8),
    bot=st.sampled_from([BOT, ""]),
)
def test_no_shape_of_json_gives_anything_but_a_value_or_malformed(
    event_type: str, event: dict[str, Any], bot: str
) -> None:
    with suppress(Malformed):
        assert parse(envelope(event_type, event), bot)


@settings(max_examples=100, deadline=None)
@given(content=EVENTISH, kind=st.sampled_from(["text", "post", "image"]), mentions=EVENTISH)
def test_no_content_and_no_mentions_crash_it(content: object, kind: str, mentions: object) -> None:
    received(message(content, kind, mentions)).text.encode()
