"""What a new user sees: a complaint reaches the group, is claimed, answered, refunded with approval, and finished."""

from __future__ import annotations

import time

import pytest

from tests.story.waiting import eventually
from tests.story.world import World

pytestmark = pytest.mark.both_databases


def test_a_complaint_stands_in_the_group_within_a_second(world: World) -> None:
    world.customer.complains()  # the first one warms the connections up
    started = time.monotonic()
    case = world.customer.complains("杯子漏水，要求退款", amount=6800, phone="13812345678", problem="商品破损")
    card = case.card()
    assert time.monotonic() - started < 3.0, "a card has to stand there within seconds"
    assert card.title == f"投诉 {case.number} · ¥68.00"
    assert card.tags == ["待认领"]
    assert card.tone == "orange"
    facts = card.facts
    assert facts["客户"] == "138****5678"
    assert facts["订单金额"] == "¥68.00"
    assert facts["商户订单号"] == case.order
    assert facts["要求退款"] == "¥68.00"
    assert facts["处理人"] == "待认领"
    assert facts["首次回复"].startswith("还剩约 24 小时（")
    assert facts["完结"].startswith("还剩约 3 天（")
    assert "杯子漏水，要求退款" in card.plain
    assert "商品破损" in card.plain
    assert "13812345678" not in str(card.content)
    assert card.buttons == ["认领"]


def test_the_countdown_on_the_card_runs(world: World) -> None:
    case = world.customer.complains()
    world.advance(hours=3)
    case.card().expect("还剩约 21 小时")
    world.advance(hours=19)
    case.card().expect("还剩约 2 小时")


def test_an_operator_claims_it(world: World) -> None:
    case = world.customer.complains()
    toast = world.chen.clicks(case.card(), "认领")
    assert toast.words == f"投诉 {case.number} 由你处理"
    card = case.card().expect_button("回复客户")
    assert card.facts["处理人"] == "陈晨"
    assert card.tags == ["待回复"]
    assert {"回复客户", "申请退款", "转交", "释放", "查看手机号"} <= set(card.buttons)
    assert "完结投诉" not in card.buttons, "before the first reply it cannot be finished"


def test_an_operator_answers_from_a_form_with_a_template(world: World) -> None:
    case = world.claimed()
    world.chen.clicks(case.card(), "回复客户")
    card = case.card().expect_button("发送回复")
    assert {"致歉并核实", "同意退款", "问题已解决"} <= set(card.options)
    world.chen.chooses(card, "致歉并核实")
    card = eventually(
        lambda: case.card() if case.order in case.card().fields.get("reply", "") else None, "the template came not"
    )
    assert world.chen.clicks(card, "发送回复").words == "正在发送给客户"
    card = case.card().expect("已回复", "我方")
    assert len(case.replies) == 1
    assert case.order in case.replies[0]
    assert case.replies[0] in card.plain
    assert "已完成" in card.facts["首次回复"]
    assert "完结投诉" in card.buttons


def test_an_approver_who_is_not_the_requester_agrees_in_private(world: World) -> None:
    case = world.claimed(text="退款给我", amount=6800)
    group_card = world.asks_refund(case, reason="杯子漏水")
    private = world.approval(case, world.wang.private)
    for card in (group_card, private):
        assert card.title.startswith("退款审批 ¥68.00 · R")
        assert card.tags == ["待审批"]
        assert card.facts["申请人"] == "陈晨"
        assert card.facts["退款金额"] == "¥68.00"
        assert card.facts["退款原因（客户会看到）"] == "杯子漏水"
        assert card.facts["投诉"] == case.number
        assert card.facts["同意人数"] == "0 / 1"
        assert {"同意", "驳回"} <= set(card.buttons)
    case.card().expect("待审批")
    assert case.refund_calls == [], "no money moves before somebody agreed"

    assert world.wang.clicks(private, "同意").words.startswith("已同意 A")
    for card in (group_card.expect("已批准", "已退款"), private.expect("已批准", "已退款")):
        assert "王芳 同意" in card.plain
        assert card.buttons == [], "nothing is left to decide"
        assert card.tone == "green"
    finished = case.card().expect("已退款", "已完结")
    assert finished.tags == ["已完结"]
    assert finished.buttons == []
    assert finished.tone == "green"
    assert case.refund_calls == [1]
    assert case.refunded_fen == 6800
    assert world.books().decisions_by_complaint[case.ticket.id] == ("MERCHANT_APPROVE_REFUND",)
    assert world.books().completions_by_complaint[case.ticket.id] == 0, "it finished by itself"
    world.group.expect_text(case.number, "已到账")
    world.chen.private.expect_text("已批准", "¥68.00")


def test_an_approver_agrees_on_the_card_in_the_group(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    private = world.approval(case, world.wang.private)
    world.wang.clicks(card, "同意")
    private.expect("已批准", "已退款")
    assert case.refund_calls == [1]


def test_an_approver_rejects_with_a_reason(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    private = world.approval(case, world.wang.private)
    world.wang.clicks(private, "驳回")
    private.expect("驳回原因")
    assert "同意" in card.latest().buttons, "the form opens on the one card only"
    assert world.wang.clicks(private, "驳回", reason="请先提供照片").words.startswith("已驳回 A")
    for each in (card.expect("已驳回"), private.expect("已驳回")):
        assert "请先提供照片" in each.plain
        assert "王芳 驳回" in each.plain
        assert each.buttons == []
    world.chen.private.expect_text("被驳回", "请先提供照片", "没有退款")
    standing = case.card().expect("未通过，没有退款")
    assert "申请退款" in standing.buttons, "it may be asked for again"
    assert case.refund_calls == []


def test_a_complaint_without_a_refund_is_finished_by_hand(world: World) -> None:
    case = world.answered(problem_type="OTHERS", text="态度差")
    world.quiet()
    assert world.chen.clicks(case.card(), "完结投诉").words == "正在完结"
    card = case.card().expect("已完结")
    assert card.tags == ["已完结"]
    assert card.buttons == []
    assert "已完成" in card.facts["完结"]
    assert world.books().completions_by_complaint[case.ticket.id] == 1


def test_the_customer_writes_and_whoever_handles_it_is_told(world: World) -> None:
    case = world.answered()
    world.customer.writes(case, "什么时候退款？")
    card = case.card().expect("什么时候退款？", "客户在等回复")
    assert "客户在等回复" in card.tags
    world.group.expect_text("@陈晨", case.number, "新留言")


def test_the_audit_tells_the_story_in_sentences(world: World) -> None:
    case = world.answered()
    world.asks_refund(case)
    world.refunded(case)
    case.card().expect("已完结")
    told = world.zhao.says(f"/audit {case.number}").card()
    plain = told.plain
    steps = (
        f"收到投诉 {case.number}",
        f"陈晨 认领了投诉 {case.number}",
        f"陈晨 写了对投诉 {case.number} 的回复",
        f"陈晨 对投诉 {case.number} 的回复已送达客户",
        "陈晨 为投诉",
        "王芳 同意了 A",
        "平台已受理退款",
    )
    places = [plain.find(step) for step in steps]
    assert -1 not in places, plain
    assert places == sorted(places), plain
    # The platform tells of the money and of the complaint in two pushes that may overtake each other.
    assert plain.find("已到账") > places[-1]
    assert plain.find(f"投诉 {case.number} 已完结") > places[-1]
