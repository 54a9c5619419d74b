"""The port against the sandbox: what it sends arrives, and each refusal has the class the outbox acts on."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.feishu.errors import (
    BotNotInChat,
    CardRefused,
    CardTooOld,
    ChatGone,
    ContentRefused,
    FeishuError,
    MissingScope,
    NotVisible,
    Permanent,
    PersonGone,
    Recalled,
    Throttled,
)
from bot.feishu.lark import LarkFeishu
from bot.feishu.port import FeishuPort, Receiver
from sandbox.feishu.state import Chat, User
from sandbox.server import Sandbox

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def card(words: str = "hello") -> str:
    return json.dumps({"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": words}]}})


@pytest.fixture
def zhou(sandbox: Sandbox) -> User:
    return sandbox.feishu.add_user("周", open_id="ou_zhou", en_name="Zhou")


@pytest.fixture
def chat(sandbox: Sandbox, zhou: User) -> Chat:
    return sandbox.feishu.add_chat("支付投诉群", [zhou])


@pytest.fixture
def group(chat: Chat) -> Receiver:
    return Receiver("chat", chat.chat_id)


def stored(sandbox: Sandbox, message_id: str) -> dict[str, object]:
    return dict(sandbox.feishu.store.message(message_id).content)


def test_the_implementation_fits_the_port(port: LarkFeishu) -> None:
    fits: FeishuPort = port
    assert fits is port


def test_a_card_to_a_chat(sandbox: Sandbox, port: LarkFeishu, group: Receiver, chat: Chat) -> None:
    message_id = port.send_card(group, card("一"), "uuid-1")
    message = sandbox.feishu.store.message(message_id)
    assert (message.chat_id, message.msg_type) == (chat.chat_id, "interactive")
    assert "一" in json.dumps(stored(sandbox, message_id), ensure_ascii=False)


def test_a_text_to_a_person(sandbox: Sandbox, port: LarkFeishu, zhou: User) -> None:
    message_id = port.send_text(Receiver("person", zhou.open_id), '说 "你好" 😀\n第二行', "uuid-1")
    assert stored(sandbox, message_id) == {"text": '说 "你好" 😀\n第二行'}
    assert sandbox.feishu.store.message(message_id).chat_id == sandbox.feishu.p2p(zhou.open_id).chat_id


def test_the_same_uuid_sends_once(sandbox: Sandbox, port: LarkFeishu, group: Receiver) -> None:
    assert port.send_card(group, card(), "uuid-1") == port.send_card(group, card(), "uuid-1")
    assert port.send_card(group, card(), "uuid-2") != port.send_card(group, card(), "uuid-1")
    assert len(sandbox.feishu.store.messages) == 2


def test_replies_hang_on_their_message(sandbox: Sandbox, port: LarkFeishu, group: Receiver) -> None:
    first = port.send_text(group, "one", "uuid-1")
    under = port.reply_card(first, card(), "uuid-2")
    thread = port.reply_text(first, "three", "uuid-3", in_thread=True)
    store = sandbox.feishu.store
    assert store.message(under).parent_id == first
    assert not store.message(under).thread_id
    assert store.message(thread).thread_id
    assert port.reply_text(first, "three", "uuid-3", in_thread=True) == thread


def test_a_card_is_drawn_anew(sandbox: Sandbox, port: LarkFeishu, group: Receiver) -> None:
    message_id = port.send_card(group, card("before"), "uuid-1")
    port.patch_card(message_id, card("after"))
    assert "after" in json.dumps(stored(sandbox, message_id))


def test_a_recalled_card_says_so(sandbox: Sandbox, port: LarkFeishu, group: Receiver) -> None:
    message_id = port.send_card(group, card(), "uuid-1")
    port.recall(message_id)
    assert sandbox.feishu.store.message(message_id).recalled
    with pytest.raises(Recalled):
        port.patch_card(message_id, card("after"))


def test_an_old_card_says_so(sandbox: Sandbox, port: LarkFeishu, group: Receiver) -> None:
    message_id = port.send_card(group, card(), "uuid-1")
    sandbox.world.clock.advance(timedelta(days=14, minutes=1))
    with pytest.raises(CardTooOld):
        port.patch_card(message_id, card("after"))


@pytest.mark.parametrize(
    ("content", "subcode"),
    [
        (json.dumps({"schema": "2.0", "body": {"elements": [{"tag": "note"}]}}), 200861),
        (
            json.dumps(
                {"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": "<at id=ou_none></at>"}]}}
            ),
            100290,
        ),
    ],
)
def test_a_card_that_cannot_be_built_is_refused_with_the_builders_code(
    port: LarkFeishu, group: Receiver, content: str, subcode: int
) -> None:
    with pytest.raises(CardRefused) as refused:
        port.send_card(group, content, "uuid-1")
    assert refused.value.subcode == subcode
    assert refused.value.names_nobody == (subcode == 100290)
    assert refused.value.log_id


def test_a_card_of_more_than_30_kb_is_refused_and_a_text_of_150_kb_too(port: LarkFeishu, group: Receiver) -> None:
    with pytest.raises(CardRefused):
        port.send_card(group, card("x" * 31_000), "uuid-1")
    with pytest.raises(ContentRefused) as refused:
        port.send_text(group, "x" * 160_000, "uuid-2")
    assert not isinstance(refused.value, CardRefused)


def test_a_chat_without_the_bot_or_gone(sandbox: Sandbox, port: LarkFeishu, group: Receiver, chat: Chat) -> None:
    sandbox.feishu.remove_bot(chat.chat_id)
    with pytest.raises(BotNotInChat) as refused:
        port.send_card(group, card(), "uuid-1")
    assert not isinstance(refused.value, ChatGone)
    chat.dissolved = True
    with pytest.raises(ChatGone):
        port.chat(chat.chat_id)
    with pytest.raises(Permanent):
        port.send_card(Receiver("chat", "oc_none"), card(), "uuid-2")


def test_a_person_who_left_or_never_was(sandbox: Sandbox, port: LarkFeishu, zhou: User) -> None:
    sandbox.feishu.user_leaves(zhou.open_id)
    with pytest.raises(PersonGone):
        port.send_text(Receiver("person", zhou.open_id), "hi", "uuid-1")
    with pytest.raises(Permanent):
        port.send_text(Receiver("person", "ou_none"), "hi", "uuid-2")


def send_many(port: LarkFeishu, group: Receiver) -> None:
    for number in range(50):
        port.send_text(group, "hi", f"uuid-{number}")


def test_more_than_five_a_second_to_a_chat_is_throttled(port: LarkFeishu, group: Receiver) -> None:
    with pytest.raises(Throttled) as throttled:
        send_many(port, group)
    assert throttled.value.code == 230020


def test_a_missing_scope_is_named(sandbox: Sandbox, port: LarkFeishu, group: Receiver) -> None:
    sandbox.feishu.app.scopes -= {"im:message", "im:message:send_as_bot"}
    with pytest.raises(MissingScope) as missing:
        port.send_text(group, "hi", "uuid-1")
    assert any("im:message" in scope for scope in missing.value.scopes)


def test_a_reaction_and_an_urgent_reminder(sandbox: Sandbox, port: LarkFeishu, group: Receiver, zhou: User) -> None:
    message_id = port.send_card(group, card(), "uuid-1")
    port.add_reaction(message_id, "DONE")
    assert [each.emoji for each in sandbox.feishu.store.message(message_id).reactions] == ["DONE"]
    assert port.urgent(message_id, [zhou.open_id, "ou_none"]) == ("ou_none",)
    assert sandbox.feishu.store.message(message_id).urgent == {zhou.open_id}


def test_a_picture_is_uploaded_as_a_named_file(sandbox: Sandbox, port: LarkFeishu) -> None:
    key = port.upload_image(PNG, "image/png")
    upload = sandbox.feishu.store.uploads[key]
    assert (upload.data, upload.name) == (PNG, "image.png")
    with pytest.raises(FeishuError) as refused:
        port.upload_image(b"no picture", "image/png")
    assert refused.value.code == 234011


def test_people(sandbox: Sandbox, port: LarkFeishu, zhou: User) -> None:
    found = port.user(zhou.open_id)
    assert (found.open_id, found.name, found.en_name, found.active) == ("ou_zhou", "周", "Zhou", True)
    everybody = [sandbox.feishu.add_user(f"u{number}").open_id for number in range(120)]
    assert {each.open_id for each in port.users([*everybody, "ou_none", zhou.open_id])} == {*everybody, zhou.open_id}
    assert port.users([]) == ()
    sandbox.feishu.user_leaves(zhou.open_id)
    assert not port.user(zhou.open_id).active
    with pytest.raises(PersonGone):
        port.user("ou_none")
    sandbox.feishu.app.contact_scope = set()
    with pytest.raises(NotVisible):
        port.user(zhou.open_id)


def test_chats_and_their_members(sandbox: Sandbox, port: LarkFeishu, chat: Chat, zhou: User) -> None:
    assert port.chat(chat.chat_id).name == "支付投诉群"
    assert port.chat(chat.chat_id).people == 1
    more = [sandbox.feishu.add_chat(f"c{number}", [zhou]) for number in range(120)]
    sandbox.feishu.add_chat("without", [zhou], with_bot=False)
    assert {each.chat_id for each in port.chats()} == {chat.chat_id, *(each.chat_id for each in more)}
    for number in range(120):
        sandbox.feishu.join(sandbox.feishu.add_user(f"u{number}").open_id, chat.chat_id)
    last = sandbox.feishu.store.chat(chat.chat_id).members[-1]
    assert port.is_member(chat.chat_id, last)
    assert not port.is_member(chat.chat_id, "ou_none")


def test_the_bot_knows_itself_and_asks_once(sandbox: Sandbox, port: LarkFeishu) -> None:
    assert port.bot_open_id() == sandbox.feishu.app.bot_open_id
    assert port.bot_open_id() == sandbox.feishu.app.bot_open_id
    assert sandbox.world.calls.count("feishu", "/bot/v3/info") == 1
