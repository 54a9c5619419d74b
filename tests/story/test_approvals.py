"""Who may decide, when, and how often."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from sandbox.feishu.card_client import find_button
from tests.story.actors import Toast
from tests.story.waiting import eventually
from tests.story.world import World


def at_once(*acts: Callable[[], Toast]) -> list[Toast]:
    """Let people act at the same moment."""
    gate = threading.Barrier(len(acts))
    toasts: dict[int, Toast] = {}

    def run(number: int, act: Callable[[], Toast]) -> None:
        gate.wait()
        toasts[number] = act()

    threads = [threading.Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [toasts[number] for number in range(len(acts))]


def test_the_requester_may_not_decide(world: World) -> None:
    boss = world.hires("周涛", "operator", "approver")
    case = world.claimed(by=boss)
    card = world.asks_refund(case, by=boss)
    toast = boss.clicks(card, "同意")
    assert toast.refused
    assert "不能审批自己的申请" in toast.words
    assert "待审批" in card.latest().tags
    assert case.refund_calls == []
    assert world.group.cards("退款审批", case.order)[0].buttons, "others may still decide"
    assert not [each for each in boss.private.cards("退款审批") if case.order in each.plain]


def test_somebody_without_the_permission(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    for person, words in ((world.li, "不是这项申请的审批人"), (world.sun, "不是这项申请的审批人")):
        toast = person.clicks(card, "同意")
        assert toast.refused
        assert words in toast.words
    assert case.refund_calls == []


@pytest.mark.both_databases
def test_the_same_click_twice(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.wang.clicks(card, "同意")
    card.expect("已退款")
    again = world.wang.clicks_as_it_was(card, "同意")
    assert again.refused
    assert "已批准" in again.words
    assert case.refund_calls == [1]


@pytest.mark.both_databases
def test_one_person_clicks_twice_at_once(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    at_once(*[lambda: world.wang.clicks_as_it_was(card, "同意")] * 3)
    card.expect("已退款")
    world.quiet()
    assert case.refund_calls == [1]
    assert card.latest().plain.count("王芳 同意") == 1


@pytest.mark.both_databases
def test_two_approvers_at_once_one_of_them_against(world: World) -> None:
    other = world.hires("钱伟", "approver")
    case = world.claimed()
    card = world.asks_refund(case)
    private = world.approval(case, other.private)
    other.clicks(private, "驳回")
    form = private.expect("驳回原因")
    toasts = at_once(
        lambda: world.wang.clicks_as_it_was(card, "同意"),
        lambda: other.clicks_as_it_was(form, "驳回", {"reason": "不同意"}),
    )
    eventually(lambda: "待审批" not in card.latest().tags, "nobody won")
    world.quiet()
    approved = "已批准" in card.latest().tags
    if approved:
        case.card().expect("已退款")
    assert case.refund_calls == ([1] if approved else [])
    loser, words = (other, toasts[1]) if approved else (world.wang, toasts[0])
    assert words.refused or loser.private.expect_text("没有生效"), "whoever was too late is told"


def test_rejecting_needs_a_reason(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.wang.clicks(card, "驳回")
    form = card.expect("驳回原因")
    toast = world.wang.clicks(form, "驳回", reason="   ")
    assert toast.refused
    assert "写明驳回原因" in toast.words
    world.wang.clicks(form, "返回")
    card.expect_button("同意")
    assert "待审批" in card.latest().tags


def test_the_requester_withdraws(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    assert "只有申请人可以撤回" in world.wang.clicks(card, "撤回申请").words
    private = world.approval(case, world.wang.private)
    assert "没有退款" in world.chen.clicks(case.card(), "撤回退款申请").words
    for each in (card, private):
        standing = each.expect("已撤回")
        assert standing.buttons == []
    assert "已撤回" in world.wang.clicks_as_it_was(private, "同意").words
    case.card().expect("未通过，没有退款", "申请退款")
    assert case.refund_calls == []


def test_large_sums_need_two(world: World) -> None:
    second = world.hires("孙立", "approver")
    case = world.claimed(amount=128000)
    card = world.asks_refund(case)
    assert card.facts["同意人数"] == "0 / 2"
    world.wang.clicks(card, "同意")
    card.expect("1 / 2", "王芳 同意")
    world.approval(case, second.private).expect("1 / 2")
    assert case.refund_calls == []
    assert "表态过" in world.wang.clicks(card, "同意").words
    assert case.refund_calls == []
    second.clicks(world.approval(case, second.private), "同意")
    card.expect("已批准", "已退款", "王芳 同意", f"{second.name} 同意")
    assert case.refund_calls == [1]
    assert case.refunded_fen == 128000


@pytest.mark.both_databases
def test_two_people_claim_at_once(world: World) -> None:
    case = world.customer.complains()
    card = case.card()
    toasts = at_once(lambda: world.chen.clicks_as_it_was(card, "认领"), lambda: world.li.clicks_as_it_was(card, "认领"))
    handler = card.expect("待回复").facts["处理人"]
    assert handler in ("陈晨", "李雷")
    world.quiet()
    loser, toast = (world.li, toasts[1]) if handler == "陈晨" else (world.chen, toasts[0])
    assert toast.refused or loser.private.expect_text("没有生效", handler)
    assert card.latest().facts["处理人"] == handler
    told = world.zhao.says(f"/审计 {case.number}").card().plain
    assert told.count("认领了投诉") == 1


def test_a_click_on_an_old_card(world: World) -> None:
    case = world.customer.complains()
    old = case.card()
    world.chen.clicks(old, "认领")
    old.expect("待回复")
    late = world.li.clicks_as_it_was(old, "认领")
    assert late.refused
    assert "由 陈晨 处理" in late.words
    twice = world.chen.clicks_as_it_was(old, "认领")
    assert "已经是你在处理" in twice.words
    assert case.card().facts["处理人"] == "陈晨"
    other = world.li.clicks(case.card(), "回复客户")
    assert other.refused
    assert "由 陈晨 处理" in other.words


def test_clicks_by_people_who_may_not(world: World) -> None:
    case = world.customer.complains()
    viewer = world.hires("吴敏", "viewer")
    assert "还没有任何角色" in world.sun.clicks(case.card(), "认领").words
    toast = viewer.clicks(case.card(), "认领")
    assert toast.refused
    assert "处理投诉" in toast.words
    assert case.card().facts["处理人"] == "待认领"


def test_a_click_that_this_bot_never_drew(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    private = world.approval(case, world.wang.private)
    value = dict(find_button(private.content, "同意").callback())
    assert "不是发给这里的" in world.zhao.sends_click(card, {"tag": "button", "value": value}).words
    forgeries: list[object] = [{**value, "s": "1"}, {**value, "v": 99}, {"a": "approval.approve"}, {}, "approve", None]
    for forged in forgeries:
        toast = world.wang.sends_click(card, {"tag": "button", "value": forged})
        assert toast.refused, forged
        assert "没有执行" in toast.words
    assert case.refund_calls == []
    assert "待审批" in card.latest().tags


def test_nobody_decides_in_time(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    private = world.approval(case, world.wang.private)
    assert not [each for each in world.zhao.private.cards("退款审批") if case.order in each.plain]
    world.advance(hours=4, minutes=1)
    card.expect("升级")
    above = world.approval(case, world.zhao.private)
    assert above.facts["申请人"] == "陈晨"
    assert "同意" in private.latest().buttons, "those asked first may still decide"
    world.advance(hours=4, minutes=1)
    for each in (card, private, above):
        standing = each.expect("过期")
        assert standing.buttons == []
    assert "已过期" in world.zhao.clicks_as_it_was(above, "同意").words
    world.chen.private.expect_text("过期", "没有退款", "重新申请")
    case.card().expect("未通过，没有退款", "申请退款")
    assert case.refund_calls == []


def test_those_above_decide_after_the_deadline(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.advance(hours=4, minutes=1)
    world.zhao.clicks(world.approval(case, world.zhao.private), "同意")
    card.expect("已批准", "赵敏 同意", "已退款")
    assert case.refund_calls == [1]


def test_too_few_approvers_for_a_large_sum_ask_those_above_at_once(fresh_world: World) -> None:
    world = fresh_world
    case = world.claimed(amount=128000)
    card = world.asks_refund(case)
    world.wang.clicks(world.approval(case, world.wang.private), "同意")
    card.expect("1 / 2")
    world.zhao.clicks(world.approval(case, world.zhao.private), "同意")
    card.expect("已退款")
    assert case.refund_calls == [1]
