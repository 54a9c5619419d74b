"""The bot, Feishu or WeChat Pay go away and come back: nothing is lost, nothing is done twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.faults import CallFault
from tests.story.waiting import eventually
from tests.story.world import World

REFUNDS = "/v3/refund/domestic/refunds"
MESSAGES = "/im/v1/messages"


@pytest.mark.both_databases
def test_killed_between_approval_and_refund(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.fault("wechatpay", CallFault.DOWN, REFUNDS, times=-1)
    world.wang.clicks(card, "同意")
    world.demo.kill()
    world.mended()
    world.demo.restart()
    world.advance(seconds=70)
    case.card().expect("已退款", "已完结")
    card.expect("已批准", "已退款")
    assert case.refund_calls == [1]


@pytest.mark.both_databases
def test_killed_while_the_refund_is_under_way(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.fault("wechatpay", CallFault.LATE, REFUNDS, method="POST", seconds=2.0)
    world.wang.clicks(card, "同意")
    eventually(lambda: case.refund_calls, "it was never asked for")
    world.demo.kill()
    world.demo.restart()
    world.advance(seconds=70)
    case.card().expect("已退款", "已完结")
    assert case.refund_calls == [1]
    assert case.refunded_fen == 6800


@pytest.mark.both_databases
def test_killed_while_the_reply_is_under_way(world: World) -> None:
    case = world.claimed()
    world.fault("wechatpay", CallFault.LATE, "/response", method="POST", seconds=2.0)
    world.chen.clicks(case.card(), "回复客户")
    world.chen.clicks(case.card(), "发送回复", reply="您好，马上处理")
    eventually(lambda: case.replies, "it was never sent")
    world.demo.kill()
    world.demo.restart()
    world.advance(seconds=40)
    case.card().expect("已回复")
    assert case.replies == ("您好，马上处理",)


@pytest.mark.both_databases
def test_complaints_and_messages_while_the_bot_was_down(world: World) -> None:
    world.demo.kill()
    case = world.customer.complains("没有人在", wait=False)
    said = world.chen.says("/我")
    world.demo.restart()
    world.advance(minutes=6)  # the platforms' ladders
    case.card()
    assert said.card().title.startswith("陈晨")


def test_feishu_down_and_back_keeps_the_order(world: World) -> None:
    world.fault("feishu", CallFault.DOWN, times=-1)
    before = len(world.group.messages())
    cases = []
    for number in range(3):
        # One after the other: what is stored at the same moment has no order that could be kept.
        case = world.customer.complains(f"飞书不通 {number}", wait=False)
        eventually(lambda case=case: world.truth.knows(case.ticket.id), "the complaint was not stored")  # type: ignore[misc]  # a default binds the loop's value
        cases.append(case)
    world.log.expect("outbox.later")
    world.customer.writes(cases[0], "有人吗")
    world.recovers()
    for case in cases:
        case.card()
    cases[0].card().expect("有人吗")
    fresh = [world.group.card(message).title for message in world.group.messages()[before:] if message.is_card]
    assert fresh == sorted(fresh, key=lambda title: int(title.split()[1][1:]))
    assert len(fresh) == 3


def test_feishu_says_too_many(world: World) -> None:
    fault = world.fault("feishu", CallFault.TOO_MANY, MESSAGES, times=3)
    case = world.customer.complains(wait=False)
    eventually(lambda: fault.struck, "nothing was sent")
    world.recovers()
    case.card()
    assert len(world.group.cards("投诉 C", case.order)) == 1


@pytest.mark.parametrize("kind", [CallFault.DROP_ANSWER, CallFault.ERROR_AFTER])
def test_feishu_took_the_card_and_its_answer_was_lost(world: World, kind: CallFault) -> None:
    fault = world.fault("feishu", kind, MESSAGES, method="POST")
    case = world.customer.complains(wait=False)
    eventually(lambda: fault.struck, "nothing was sent")
    world.recovers()
    assert len(world.group.cards("投诉 C", case.order)) == 1
    world.chen.clicks(case.card(), "认领")
    case.card().expect("待回复")


def test_wechat_pay_is_down_when_the_complaint_arrives(world: World) -> None:
    world.fault("wechatpay", CallFault.DOWN, "/complaints-v2", times=-1)
    case = world.customer.complains(wait=False)
    eventually(lambda: world.sandbox.world.calls.count("wechatpay", case.ticket.id), "it was never looked at")
    world.mended()
    world.advance(minutes=5, seconds=5)
    case.card()


@pytest.mark.both_databases
def test_a_burst_of_complaints_keeps_to_the_limits(world: World) -> None:
    before = world.sandbox.world.calls.count("feishu", MESSAGES, status=429)
    cases = [world.customer.complains(f"第 {number} 个", wait=False) for number in range(15)]
    for case in cases:
        case.card()
    world.quiet(20)
    assert world.sandbox.world.calls.count("feishu", MESSAGES, status=429) == before
    for case in cases:
        assert len(world.group.cards("投诉 C", case.order)) == 1


def test_the_bot_is_taken_out_of_the_group_and_back(fresh_world: World) -> None:
    world = fresh_world
    case = world.claimed()
    world.feishu.remove_bot(world.group.chat_id)
    world.quiet()
    lost = world.customer.complains("没人看见的投诉", wait=False)
    eventually(lambda: [line for line in world.bot_log() if "outbox" in str(line["event"])], "no word in the log")
    for line in world.bot_log():
        if line.get("level") == "error":
            world.expects_errors(str(line["event"]))
    world.feishu.add_bot(world.group.chat_id)
    world.group.expect_card("mpops 运营助手")
    world.advance(minutes=6)
    listed = world.chen.says("/投诉").card()
    assert "共 2 条" in listed.plain
    world.chen.says("/投诉 C2").card()
    assert lost.card().tags == ["待认领"]
    again = world.chen.says("/投诉 C1").card()
    world.chen.clicks(again, "回复客户")
    again.expect_button("发送回复")
    assert case.number == "C1"


def test_a_card_that_feishu_refuses_is_told_in_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.feishu.content.MOST_BYTES", 2_000)  # Feishu takes only tiny cards today
    world.expects_errors("card.refused")
    case = world.customer.complains("卡片发不出去", wait=False)
    words = world.group.expect_text("投诉 C", "卡片发不出去", case.order)
    assert "138****8000" in words
    assert "认领" in words
    monkeypatch.undo()
    number = words.split("投诉 ")[1].split(" ")[0]
    card = world.chen.says(f"/投诉 {number}").card()
    world.chen.clicks(card, "认领")
    card.expect("待回复", "陈晨")


def test_the_sandboxs_refund_delay_is_long_and_the_bot_keeps_asking(world: World) -> None:
    world.wechatpay.refund_delay = timedelta(minutes=3)
    try:
        case = world.claimed()
        card = world.asks_refund(case)
        world.wang.clicks(card, "同意")
        case.card().expect("平台处理中")
        assert "完结投诉" not in case.card().buttons
        for _ in range(5):
            world.advance(minutes=1)
        case.card().expect("已退款")
        assert case.refund_calls == [1]
    finally:
        world.wechatpay.refund_delay = timedelta(milliseconds=200)
