"""Customers: what they write, again and again; and what the bot writes back, once."""

from __future__ import annotations

import pytest

from sandbox.faults import CallFault
from sandbox.feishu.card_client import find_button
from tests.story.actors import Case
from tests.story.waiting import eventually
from tests.story.world import World

RESPONSE = "/response"
HOSTILE = (
    '<at id=all></at><at user_id="all">all</at>',
    "**粗体** [点我](https://evil.example) ![x](y) `码` # 标题 <font color='red'>红</font>",
    "第一行\x00\x07\x1b[31m第二行\u202e反着\u2028",
    "{number} {{who}} %s ${jndi:ldap://x} {0.__class__}",
    "&lt;at id=all&gt;&#60;at id=all&#62;",
)


def no_pings(case: Case) -> None:
    raw = str(case.card().content["body"])
    assert "<at" not in raw.replace("<at id=ou_", "")
    assert "](http" not in raw
    assert "<font color='red'>" not in raw


@pytest.mark.parametrize("words", HOSTILE)
def test_a_hostile_complaint_is_shown_as_the_text_it_is(world: World, words: str) -> None:
    case = world.customer.complains(words)
    shown = case.card().plain
    visible = "".join(character if character.isprintable() else " " for character in words)
    for piece in visible.split():
        assert piece in shown, shown
    assert not set(shown) & set("\x00\x07\x1b\u202e\u2028")
    no_pings(case)
    world.chen.clicks(case.card(), "认领")
    world.reply(case, "您好，已收到")
    world.customer.writes(case, words)
    case.card().expect("客户在等回复")
    no_pings(case)
    for message in world.group.messages():
        assert not [mention for mention in message.mentions if mention.open_id == "all"]
    listed = world.chen.says("/投诉").card()
    assert "<at" not in str(listed.content)


@pytest.mark.parametrize("words", ["很长" * 10_000, "😀" * 10_000, "<at id=all></at>" * 2_500, "\n" * 40_000])
def test_forty_kilobytes(world: World, words: str) -> None:
    case = world.customer.complains(words)
    card = case.card()
    if words.strip():
        assert "已截断" in card.plain
        assert str(len(words)) in card.plain
    assert len(str(card.content).encode()) < 30_000
    assert card.buttons == ["认领"]
    no_pings(case)


def test_what_the_platform_says_in_ways_nobody_documented(world: World) -> None:
    case = world.customer.complains("怪", problem_type="MARTIAN", problem="")
    assert case.card().title.startswith("投诉 C")
    nameless = world.customer.complains("没有电话", phone="")
    assert nameless.card().facts["客户"] == "未提供手机号"


def test_a_complaint_about_no_order(world: World) -> None:
    text = "没有订单的投诉"
    world.wechatpay.customer_complains(world.merchant_id, None, text, problem_type="OTHERS")
    card = world.group.expect_card("投诉 C", text)
    assert card.facts["商户订单号"] == "没有订单"
    world.chen.clicks(card, "认领")
    assert "申请退款" not in card.expect_button("回复客户").buttons


def test_a_reply_that_the_platform_would_refuse_is_stopped_before(world: World) -> None:
    case = world.claimed()
    world.chen.clicks(case.card(), "回复客户")
    form = case.card().expect_button("发送回复")
    toast = world.chen.clicks(form, "发送回复", reply="好的😀")
    assert toast.refused
    assert "不支持的字符" in toast.words
    assert "😀" in toast.words
    assert "没有发出" in toast.words
    value = find_button(case.card().expect_button("发送回复").content, "发送回复").callback()
    for reply, words in (("长" * 501, "太长"), ("", "空的"), ("  ", "空的")):
        toast = world.chen.sends_click(form, {"tag": "button", "value": value, "form_value": {"reply": reply}})
        assert toast.refused
        assert words in toast.words
    assert world.chen.sends_click(form, {"tag": "button", "value": value}).refused
    assert not case.replies
    world.chen.clicks(case.card(), "返回")
    case.card().expect_button("回复客户")


@pytest.mark.parametrize("kind", [CallFault.DROP_ANSWER, CallFault.ERROR_AFTER, CallFault.BAD_SIGNATURE])
def test_the_answer_to_a_reply_is_lost(world: World, kind: CallFault) -> None:
    case = world.claimed()
    world.fault("wechatpay", kind, RESPONSE, method="POST")
    world.chen.clicks(case.card(), "回复客户")
    world.chen.clicks(case.card(), "发送回复", reply="您好，马上处理")
    eventually(lambda: case.replies, "nothing was sent")
    card = case.card()
    try:
        card.expect("已回复", patience=3)
    except AssertionError:
        world.advance(seconds=35)  # it is asked again after half a minute
        card.expect("已回复")
    assert case.replies == ("您好，马上处理",)


@pytest.mark.parametrize("kind", [CallFault.DOWN, CallFault.SERVER_ERROR, CallFault.TOO_MANY])
def test_a_reply_that_did_not_get_through_is_sent_later(world: World, kind: CallFault) -> None:
    case = world.claimed()
    fault = world.fault("wechatpay", kind, RESPONSE, method="POST", times=-1)
    world.chen.clicks(case.card(), "回复客户")
    world.chen.clicks(case.card(), "发送回复", reply="您好，马上处理")
    case.card().expect("正在把回复发送给客户")
    eventually(lambda: fault.struck, "nothing was tried")
    assert not case.replies
    world.log.expect("complaint.reply_later")
    world.mended()
    world.advance(seconds=35)
    case.card().expect("已回复")
    assert case.replies == ("您好，马上处理",)


def test_a_reply_to_a_complaint_that_was_finished_elsewhere(world: World) -> None:
    case = world.answered()
    world.chen.clicks(case.card(), "回复客户")
    form = case.card().expect_button("发送回复")
    case.ticket.completed(world.sandbox.world.clock.now(), "云杉商城")  # in the merchant's own console
    world.chen.clicks(form, "发送回复", reply="还有一句")
    world.group.expect_text("@陈晨", case.number, "没有发出", "客户没有看到")
    world.advance(minutes=5, seconds=10)
    case.card().expect("已完结")
    assert case.replies == ("您好，我们马上处理",)


@pytest.mark.both_databases
def test_the_same_reply_clicked_twice(world: World) -> None:
    case = world.claimed()
    world.chen.clicks(case.card(), "回复客户")
    form = case.card().expect_button("发送回复")
    fault = world.fault("wechatpay", CallFault.LATE, RESPONSE, method="POST", seconds=1.0)
    world.chen.clicks_as_it_was(form, "发送回复", {"reply": "您好，马上处理"})
    again = world.chen.clicks_as_it_was(form, "发送回复", {"reply": "您好，马上处理"})
    if again.refused:
        assert "还在发送" in again.words or "没有重复发送" in again.words
    else:  # the first click was not worked off when the second was looked at
        world.chen.private.expect_text("没有生效")
    case.card().expect("已回复")
    assert fault.struck == 1
    assert case.replies == ("您好，马上处理",)


def test_the_customer_complains_again(world: World) -> None:
    case = world.answered(problem_type="OTHERS")
    world.quiet()
    world.chen.clicks(case.card(), "完结投诉")
    case.card().expect("已完结")
    world.advance(hours=30)
    world.customer.complains_again(case, "还是漏水")
    card = case.card().expect("第 2 次投诉", "还是漏水")
    assert card.facts["首次回复"].startswith("还剩约 24 小时")
    assert card.facts["完结"].startswith("还剩约 3 天")
    assert card.facts["处理人"] == "陈晨"
    world.group.expect_text("客户再次投诉", case.number, "第 2 次")
    world.reply(case, "给您换新的")
    world.quiet()
    world.chen.clicks(case.card(), "完结投诉")
    case.card().expect("已完结")
    assert world.books().completions_by_complaint[case.ticket.id] == 2


def test_finishing_whose_answer_is_lost(world: World) -> None:
    case = world.answered(problem_type="OTHERS")
    world.quiet()
    world.fault("wechatpay", CallFault.DROP_ANSWER, "/complete", method="POST")
    world.chen.clicks(case.card(), "完结投诉")
    eventually(lambda: world.books().completions_by_complaint[case.ticket.id], "it was never finished")
    card = case.card()
    try:
        card.expect("已完结", patience=3)
    except AssertionError:
        world.advance(seconds=35)
        card.expect("已完结")
    assert world.books().completions_by_complaint[case.ticket.id] == 1


def test_finishing_on_a_card_that_does_not_show_the_newest_words(world: World) -> None:
    case = world.answered(problem_type="OTHERS")
    world.quiet()
    old = case.card()
    world.customer.writes(case, "等等，还有一个问题")
    case.card().expect("客户在等回复")
    toast = world.chen.clicks_as_it_was(old, "完结投诉")
    assert toast.refused
    assert "情况刚刚有变化" in toast.words
    assert world.books().completions_by_complaint[case.ticket.id] == 0


def test_pictures_of_the_customer(world: World) -> None:
    case = world.customer.complains("看图", images=2)
    eventually(lambda: str(case.card().content).count("img_v3_") >= 2, "the pictures did not come")
