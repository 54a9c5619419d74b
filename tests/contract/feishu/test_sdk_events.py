"""The vendor's dispatcher takes what the sandbox pushes: challenge, encrypted and signed events, card clicks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Response

from sandbox.feishu.platform import Feishu
from tests.contract.feishu.conftest import Company, Raw, Receiver, button, card, refund_form, until


@dataclass
class Bot:
    """A web app over the SDK's EventDispatcherHandler; `events` holds what its handlers got."""

    events: list[tuple[str, Any]] = field(default_factory=list)
    on_click: Callable[[Any], Any] = lambda click: {}

    def got(self, kind: str) -> list[Any]:
        return [event for name, event in self.events if name == kind]

    def one(self, kind: str) -> Any:
        until(lambda: bool(self.got(kind)), 5, f"an event {kind}")
        (event,) = self.got(kind)
        return event


@pytest.fixture
def bot(lark: Any, feishu: Feishu, receiver: Receiver) -> Bot:
    made = Bot()
    app = feishu.app
    builder = lark.EventDispatcherHandler.builder(app.encrypt_key, app.verification_token, lark.LogLevel.CRITICAL)
    for name in (
        "im_message_receive_v1",
        "im_message_recalled_v1",
        "im_message_message_read_v1",
        "im_message_reaction_created_v1",
        "im_chat_member_bot_added_v1",
        "im_chat_member_bot_deleted_v1",
        "im_chat_member_user_added_v1",
        "im_chat_member_user_deleted_v1",
        "im_chat_access_event_bot_p2p_chat_entered_v1",
        "application_bot_menu_v6",
        "contact_user_deleted_v3",
    ):
        getattr(builder, f"register_p2_{name}")(lambda event, name=name: made.events.append((name, event)))
    builder.register_p2_card_action_trigger(lambda click: made.on_click(click))
    handler = builder.build()

    def dispatch() -> Response:
        from lark_oapi.adapter.flask import parse_req, parse_resp

        answer: Response = parse_resp(handler.do(parse_req()))
        return answer

    receiver.answer = dispatch
    app.event_url = receiver.url
    return made


@pytest.fixture(params=["encrypted", "plain"])
def either(request: pytest.FixtureRequest, feishu: Feishu) -> str:
    """Runs a test with and without an Encrypt Key; the bot is built after it."""
    if request.param == "plain":
        feishu.app.encrypt_key = ""
    return str(request.param)


def test_challenge(either: str, bot: Bot, feishu: Feishu) -> None:
    assert feishu.verify_callback().ok


def test_message_in_a_group(either: str, bot: Bot, feishu: Feishu, company: Company) -> None:
    sent = feishu.user_sends(company.zhang.open_id, company.group.chat_id, "/授权 @李四 operator")
    got = bot.one("im_message_receive_v1")
    assert got.event.message.message_id == sent.message_id
    assert got.event.message.chat_type == "group"
    assert json.loads(got.event.message.content) == {"text": "@_user_1 /授权 @_user_2 operator"}
    mentions = [(one.key, one.id.open_id, one.name) for one in got.event.message.mentions]
    assert mentions == [
        ("@_user_1", feishu.app.bot_open_id, feishu.app.name),
        ("@_user_2", company.li.open_id, "李四"),
    ]
    assert got.event.sender.sender_id.open_id == company.zhang.open_id
    assert got.event.sender.sender_id.user_id == company.zhang.user_id
    assert got.header.app_id == feishu.app.app_id


def test_only_mentions_reach_a_bot_without_the_scope_for_all(bot: Bot, feishu: Feishu, company: Company) -> None:
    group, zhang = company.group.chat_id, company.zhang.open_id
    feishu.user_sends(zhang, group, "大家好", mention_bot=False)
    feishu.user_sends(zhang, group, "@所有人 大家好", mention_bot=False)
    private = feishu.p2p(zhang)
    feishu.user_sends(zhang, private.chat_id, "帮助")
    got = bot.one("im_message_receive_v1")
    assert (got.event.message.chat_type, json.loads(got.event.message.content)["text"]) == ("p2p", "帮助")
    feishu.app.scopes.add("im:message.group_msg")
    feishu.user_sends(zhang, group, "再说一遍", mention_bot=False)
    until(lambda: len(bot.got("im_message_receive_v1")) == 2, 5, "the unmentioned message")


def test_recall_reaction_and_reply(bot: Bot, feishu: Feishu, raw: Raw, company: Company) -> None:
    group, zhang = company.group.chat_id, company.zhang.open_id
    root = raw.text(group, "请看")["data"]["message_id"]
    sent = feishu.user_sends(zhang, group, "好", reply_to=root)
    got = bot.one("im_message_receive_v1")
    assert (got.event.message.parent_id, got.event.message.root_id) == (root, root)
    feishu.user_recalls(sent.message_id)
    recalled = bot.one("im_message_recalled_v1")
    assert (recalled.event.message_id, recalled.event.recall_type) == (sent.message_id, "message_owner")
    feishu.user_reacts(zhang, root, "DONE")
    reacted = bot.one("im_message_reaction_created_v1")
    assert (reacted.event.message_id, reacted.event.reaction_type.emoji_type) == (root, "DONE")


def test_membership(bot: Bot, feishu: Feishu, company: Company) -> None:
    wang = feishu.add_user("王五")
    feishu.join(wang.open_id, company.group.chat_id)
    assert bot.one("im_chat_member_user_added_v1").event.users[0].user_id.open_id == wang.open_id
    feishu.leave_chat(wang.open_id, company.group.chat_id)
    assert bot.one("im_chat_member_user_deleted_v1").event.chat_id == company.group.chat_id
    feishu.remove_bot(company.group.chat_id, company.zhang.open_id)
    assert bot.one("im_chat_member_bot_deleted_v1").event.operator_id.open_id == company.zhang.open_id
    feishu.add_bot(company.group.chat_id, company.zhang.open_id)
    assert bot.one("im_chat_member_bot_added_v1").event.name == "支付投诉群"


def test_private_chat_menu_and_read(bot: Bot, feishu: Feishu, raw: Raw, company: Company) -> None:
    zhang = company.zhang.open_id
    chat = feishu.user_opens_p2p(zhang)
    entered = bot.one("im_chat_access_event_bot_p2p_chat_entered_v1")
    assert (entered.event.chat_id, entered.event.operator_id.open_id) == (chat.chat_id, zhang)
    message_id = raw.text(chat.chat_id, "你好")["data"]["message_id"]
    assert feishu.snapshot(zhang)["chats"][-1]["unread"] == 1
    feishu.user_reads(zhang, chat.chat_id)
    assert bot.one("im_message_message_read_v1").event.message_id_list == [message_id]
    feishu.bot_menu(zhang, "home")
    menu = bot.one("application_bot_menu_v6")
    assert (menu.event.event_key, menu.event.operator.operator_id.open_id) == ("home", zhang)
    assert abs(int(menu.event.timestamp) - feishu.world.clock.seconds()) < 60


def test_leaver(bot: Bot, feishu: Feishu, raw: Raw, company: Company) -> None:
    feishu.user_leaves(company.li.open_id)
    left = bot.one("contact_user_deleted_v3")
    assert (left.event.object.open_id, left.event.object.status.is_resigned) == (company.li.open_id, True)
    assert left.event.old_object.department_ids == ["0"]
    body = {"receive_id": company.li.open_id, "msg_type": "text", "content": '{"text":"x"}'}
    assert raw.call("POST", "/im/v1/messages", body, receive_id_type="open_id")["code"] == 230029


def test_click_with_toast_and_new_card(
    lark: Any, either: str, bot: Bot, feishu: Feishu, raw: Raw, company: Company
) -> None:
    from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse

    after = card({"tag": "markdown", "content": "已退款"})
    message_id = raw.send(company.group.chat_id, card(refund_form()))["data"]["message_id"]
    clicks: list[Any] = []

    def on_click(click: Any) -> Any:
        clicks.append(click)
        toast = {"type": "success", "content": "好", "i18n": {"zh_cn": "好", "en_us": "Done"}}
        return P2CardActionTriggerResponse({"toast": toast, "card": {"type": "raw", "data": after}})

    bot.on_click = on_click
    result = feishu.click_button(company.li.open_id, message_id, "提交", {"amount": "12.00", "reason": "物流"})
    assert (result.ok, result.toast_text, result.updated) == (True, "Done", True)
    assert feishu.store.message(message_id).content == after
    (click,) = clicks
    assert click.event.action.form_value == {"amount": "12.00", "note": "", "reason": "delivery"}
    assert (click.event.action.value, click.event.action.name) == ({"act": "refund"}, "ok")
    assert click.event.operator.open_id == company.li.open_id
    assert (click.event.context.open_message_id, click.event.host) == (message_id, "im_message")
    assert len(click.header.create_time) == 16
    assert click.event.token.startswith("c-")


def test_sdk_answers_nothing_with_500(bot: Bot, feishu: Feishu, raw: Raw, company: Company) -> None:
    message_id = raw.send(company.group.chat_id, card(button("好", {"a": 1})))["data"]["message_id"]
    bot.on_click = lambda click: None
    assert feishu.click_button(company.zhang.open_id, message_id, "好").code == 200671


def test_sdk_breaks_on_a_text_value(bot: Bot, feishu: Feishu, raw: Raw, company: Company) -> None:
    message_id = raw.send(company.group.chat_id, card(button("好", "just text")))["data"]["message_id"]
    assert feishu.click_button(company.zhang.open_id, message_id, "好").code == 200671


def test_sdk_answers_500_to_events_nobody_registered(bot: Bot, feishu: Feishu) -> None:
    attempt = feishu.events.emit(feishu.app, "im.chat.disbanded_v1", {"chat_id": "oc_x"})
    assert attempt is not None
    until(lambda: attempt.answers == [500], 5, "the answer")
    assert not attempt.delivered
