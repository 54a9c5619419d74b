"""What the sandbox pushes opens and parses into our values; what is tampered with does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from feishu_bot import TinyBot, soon

from bot.feishu.events import parse
from bot.feishu.lark import LarkFeishu
from bot.feishu.port import Receiver
from bot.feishu.values import (
    BotAddedToChat,
    BotMenu,
    BotRemovedFromChat,
    CardClicked,
    Incoming,
    MessageRecalled,
    MessageReceived,
    Other,
    P2pEntered,
    UserLeft,
)
from sandbox.faults import Fault, PushFault
from sandbox.server import Sandbox

FORM = (
    '{"schema":"2.0","body":{"elements":[{"tag":"form","name":"f","elements":['
    '{"tag":"input","name":"reason","required":true},'
    '{"tag":"button","name":"ok","form_action_type":"submit","text":{"tag":"plain_text","content":"提交"},'
    '"behaviors":[{"type":"callback","value":{"act":"reject"}}]}]}]}}'
)


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[TinyBot]:
    app = sandbox.feishu.app
    with TinyBot(app.encrypt_key, app.verification_token, sandbox.world.clock) as running:
        app.event_url = running.url
        yield running


def last(bot: TinyBot, sandbox: Sandbox, count: int) -> Incoming:
    soon(lambda: len(bot.got) == count)
    return parse(bot.got[-1], sandbox.feishu.app.bot_open_id)


def test_every_event_becomes_its_value(sandbox: Sandbox, bot: TinyBot, port: LarkFeishu) -> None:
    feishu = sandbox.feishu
    zhou, wu = feishu.add_user("周", open_id="ou_zhou"), feishu.add_user("吴", open_id="ou_wu")
    chat = feishu.add_chat("群", [zhou, wu])

    sent = feishu.user_sends("ou_zhou", chat.chat_id, "/授权 @吴 operator")
    message = last(bot, sandbox, 1)
    assert isinstance(message, MessageReceived)
    assert (message.text, message.mentions_bot, message.chat_type) == ("/授权 @{ou_wu} operator", True, "group")
    assert (message.message_id, message.sender_open_id) == (sent.message_id, "ou_zhou")
    assert [(who.open_id, who.name) for who in message.mentions] == [("ou_wu", "吴")]
    assert abs(message.created_at - sent.created_at).total_seconds() < 0.01

    feishu.user_recalls(sent.message_id)
    assert isinstance(last(bot, sandbox, 2), MessageRecalled)

    card = port.send_card(Receiver("chat", chat.chat_id), FORM, "uuid-1")
    assert feishu.click_button("ou_wu", card, "提交", {"reason": "金额 <b>不对</b>"}).ok
    click = last(bot, sandbox, 3)
    assert isinstance(click, CardClicked)
    assert (click.operator_open_id, click.message_id, click.chat_id) == ("ou_wu", card, chat.chat_id)
    assert (click.value, dict(click.form)) == ({"act": "reject"}, {"reason": "金额 <b>不对</b>"})
    assert click.token.startswith("c-")

    feishu.remove_bot(chat.chat_id)
    assert isinstance(last(bot, sandbox, 4), BotRemovedFromChat)
    feishu.add_bot(chat.chat_id, "ou_zhou")
    assert last(bot, sandbox, 5) == BotAddedToChat(chat.chat_id, "群", "ou_zhou")
    feishu.bot_menu("ou_zhou", "home")
    assert last(bot, sandbox, 6) == BotMenu("ou_zhou", "home")
    private = feishu.user_opens_p2p("ou_zhou")
    assert last(bot, sandbox, 7) == P2pEntered("ou_zhou", private.chat_id)
    feishu.user_reacts("ou_wu", card, "OK")
    assert last(bot, sandbox, 8) == Other("im.message.reaction.created_v1")
    feishu.user_leaves("ou_wu")
    assert last(bot, sandbox, 9) == UserLeft("ou_wu")
    assert bot.refused == []


def test_the_address_check_passes(sandbox: Sandbox, bot: TinyBot) -> None:
    check = sandbox.feishu.verify_callback()
    assert check.ok, check.detail


def test_a_repeated_event_keeps_its_id(sandbox: Sandbox, bot: TinyBot) -> None:
    user = sandbox.feishu.add_user("周")
    chat = sandbox.feishu.add_chat("群", [user])
    sandbox.world.faults.add(Fault("feishu", PushFault.REPEAT))
    sandbox.feishu.user_sends(user.open_id, chat.chat_id, "hi")
    soon(lambda: len(bot.got) == 2)
    assert bot.got[0] == bot.got[1]


def test_a_wrong_signature_is_refused(sandbox: Sandbox, bot: TinyBot) -> None:
    user = sandbox.feishu.add_user("周")
    chat = sandbox.feishu.add_chat("群", [user])
    sandbox.world.faults.add(Fault("feishu", PushFault.TAMPER))
    sandbox.feishu.user_sends(user.open_id, chat.chat_id, "hi")
    soon(lambda: bot.refused)
    assert bot.refused == ["unsigned"]
    assert bot.got == []
