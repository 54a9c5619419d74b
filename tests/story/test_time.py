"""What time brings: reminders, the morning's digest, cards that grow old, clocks that jump."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.hours import until_next
from tests.story.waiting import eventually
from tests.story.world import World

BEIJING = ZoneInfo("Asia/Shanghai")


def next_morning(world: World, hour: int = 9) -> str:
    """Sleep until a minute past that hour; the day that has passed."""
    now = world.sandbox.world.clock.now().astimezone(BEIJING)
    morning = (now + timedelta(days=1)).replace(hour=hour, minute=1, second=0, microsecond=0)
    world.advance(seconds=(morning - now).total_seconds())
    return f"{now:%Y-%m-%d}"


def noon(world: World) -> None:
    """Go to an hour from which the next day is not a moment away."""
    now: datetime = world.sandbox.world.clock.now().astimezone(BEIJING)
    world.advance(seconds=until_next(now, 12).total_seconds())


def reminders(world: World, *words: str) -> list[str]:
    return [said for said in world.group.texts() if all(word in said for word in words)]


def test_the_next_mornings_digest_sums_up_the_day_once(fresh_world: World) -> None:
    world = fresh_world
    noon(world)
    done, open_one = world.answered(problem_type="OTHERS"), world.claimed()
    world.customer.complains()
    world.asks_refund(open_one)
    world.refunded(open_one)
    world.quiet()
    world.chen.clicks(done.card(), "完结投诉")
    done.card().expect("已完结")
    world.quiet()
    day = next_morning(world)
    card = world.group.expect_card(f"日报 {day}")
    facts = card.facts
    assert facts["新投诉"] == "3"
    assert facts["已完结"].startswith("2")
    assert "1 笔，共 ¥68.00" in facts["退款"]
    assert facts["当前未完结"].strip("*# ") == "1"
    world.demo.kill()
    world.demo.restart()
    world.advance(minutes=20)
    world.chen.says("/我").card()
    world.quiet()
    assert len(world.group.cards(f"日报 {day}")) == 1, "one digest a day, whatever restarts"
    world.chen.clicks(card, "查看未完结")
    assert "共 1 条" in world.group.expect_card("投诉 · 未完结").plain


@pytest.mark.both_databases
def test_a_digest_missed_while_everything_was_down_comes_later(fresh_world: World) -> None:
    world = fresh_world
    noon(world)
    world.customer.complains()
    world.demo.kill()
    day = next_morning(world)
    world.advance(hours=2)
    world.demo.restart()
    world.group.expect_card(f"日报 {day}")
    world.quiet()
    assert len(world.group.cards(f"日报 {day}")) == 1


def test_subscribe_and_unsubscribe_from_chat(world: World) -> None:
    noon(world)
    world.chen.says("/退订 日报").answer("已退订")
    world.chen.says("/退订 日报").answer("没有订阅")
    day = next_morning(world)
    world.chen.says("/我").card()
    world.quiet()
    assert world.group.cards(f"日报 {day}") == []
    world.chen.says("/订阅 日报 08:30").answer("已订阅", "08:30")
    world.group.expect_card(f"日报 {next_morning(world)}")
    world.sun.says("/退订 日报").answer("还没有任何角色")


def test_reminders_before_the_first_reply_is_due_and_when_it_is_missed(world: World) -> None:
    case = world.customer.complains()
    world.advance(hours=20, minutes=1)
    assert "@赵敏" in world.group.expect_text(case.number, "首次回复", "还剩约 4 小时"), "the program's owner is named"
    world.chen.clicks(case.card(), "认领")
    case.card().expect("待回复")
    world.advance(hours=3)
    assert "@陈晨" in world.group.expect_text(case.number, "首次回复", "1 小时")
    assert case.card().expect("还剩约 1 小时").tone == "red"
    world.advance(hours=1)
    world.group.expect_text(case.number, "首次回复", "已超时", "请立即处理")
    card = case.card().expect("首次回复已超时")
    assert card.tone == "red"
    world.advance(hours=2)
    world.quiet()
    assert len(reminders(world, case.number, "的首次回复")) == 3, "each is said once"
    assert f"{case.number} ·" in world.chen.says("/投诉 超时").card().plain
    world.reply(case, "抱歉来晚了")
    assert "超时" in case.card().facts["首次回复"]
    told = world.zhao.says(f"/审计 {case.number}").card().plain
    assert "首次回复超时" in told


def test_reminders_before_the_end_is_due(world: World) -> None:
    case = world.answered(problem_type="OTHERS")
    world.advance(hours=68, minutes=1)
    world.group.expect_text(case.number, "完结时限", "还剩约 4 小时")
    world.advance(hours=4)
    world.group.expect_text(case.number, "完结时限", "已超时")
    assert not reminders(world, case.number, "的首次回复")
    world.chen.clicks(case.card(), "完结投诉")
    card = case.card().expect("已完结")
    assert "超时" in card.facts["完结"]
    world.advance(hours=5)
    world.quiet()
    assert len(reminders(world, case.number, "完结时限")) <= 3


def test_a_clock_that_jumps_back_and_forth(world: World) -> None:
    case = world.customer.complains()
    world.advance(hours=20, minutes=1)
    world.group.expect_text(case.number, "首次回复", "还剩约 4 小时")
    world.advance(hours=-6)
    assert world.chen.says("/我").card()
    world.chen.clicks(case.card(), "认领")
    world.reply(case, "您好，马上处理")
    other = world.customer.complains("时钟倒退时的投诉")
    other.card()
    world.advance(hours=6)
    world.chen.says("/我").card()
    world.quiet()
    assert len(reminders(world, case.number, "的首次回复")) == 1
    assert case.replies == ("您好，马上处理",)


def test_a_card_of_fourteen_days_is_posted_anew(fresh_world: World) -> None:
    world = fresh_world
    case = world.claimed()
    first = case.card()
    world.advance(days=14, hours=1)
    eventually(lambda: len(world.group.cards("投诉 C", case.order)) == 2, "the old card was not replaced", 15)
    fresh = world.group.cards("投诉 C", case.order)[-1]
    assert fresh.message_id != first.message_id
    world.chen.clicks(fresh, "回复客户")
    world.chen.clicks(fresh, "发送回复", reply="抱歉让您久等")
    fresh.expect("已回复")
    assert case.replies == ("抱歉让您久等",)
