"""Money: whatever happens to the call, the customer is paid once, or not at all and everybody knows."""

from __future__ import annotations

import pytest

from sandbox.faults import CallFault, PushFault
from tests.story.waiting import eventually
from tests.story.world import World

REFUNDS = "/v3/refund/domestic/refunds"
LATER = 70  # seconds: after that a refund without an answer has been asked about


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        (CallFault.DROP_ANSWER, 0.0),
        (CallFault.ERROR_AFTER, 0.0),
        (CallFault.BAD_SIGNATURE, 0.0),
        (CallFault.LATE, 9.0),  # the bot waits 8 s for an answer
    ],
)
def test_a_lost_answer_makes_one_refund(world: World, kind: CallFault, seconds: float) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.fault("wechatpay", kind, REFUNDS, method="POST", seconds=seconds)
    if kind is CallFault.LATE:
        world.fault("wechatpay", PushFault.LOSE, "REFUND")  # else the news is faster than the answer
    world.wang.clicks(card, "同意")
    eventually(lambda: case.refund_calls, "the refund was never asked for", 15)
    case.card().expect("已退款", "已完结", patience=20)
    assert case.refund_calls == [1]
    assert case.refunded_fen == 6800


def test_no_answer_to_the_question_either(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.fault("wechatpay", CallFault.DROP_ANSWER, REFUNDS, method="POST")
    world.fault("wechatpay", CallFault.DOWN, REFUNDS, method="GET", times=-1)
    world.fault("wechatpay", PushFault.LOSE, "REFUND", times=1)
    world.fault("wechatpay", PushFault.LOSE, "COMPLAINT", times=1)
    world.wang.clicks(card, "同意")
    case.card().expect("已提交，等待平台确认", patience=20)
    assert "申请退款" not in case.card().buttons
    world.mended()
    world.advance(seconds=LATER)
    case.card().expect("已退款")
    assert case.refund_calls == [1]


@pytest.mark.parametrize("kind", [CallFault.DOWN, CallFault.SERVER_ERROR, CallFault.TOO_MANY])
def test_a_refund_that_never_reached_the_books_is_sent_again_under_its_number(world: World, kind: CallFault) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    before = world.books().refund_create_calls
    fault = world.fault("wechatpay", kind, REFUNDS, method="POST", times=-1)
    world.wang.clicks(card, "同意")
    case.card().expect("已提交，等待平台确认", patience=20)
    eventually(lambda: fault.struck, "the refund was never tried")
    assert case.refund_calls == []
    world.mended()
    world.advance(seconds=LATER)
    case.card().expect("已退款")
    assert case.refund_calls == [1]
    assert world.books().refund_create_calls == before + 1


def test_too_little_money_then_topped_up_and_tried_again(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.wechatpay.next_refund("NOT_ENOUGH")
    world.wang.clicks(card, "同意")
    standing = case.card().expect("失败，没有退款", "余额不足", "重试退款")
    world.group.expect_text(case.number, "失败，没有退款", "余额不足")
    card.expect("已批准", "失败，没有退款")
    assert case.refund_calls == []
    assert "申请退款" in standing.buttons
    toast = world.chen.clicks(case.card(), "重试退款")
    assert "同一单号" in toast.words
    case.card().expect("已退款")
    assert case.refund_calls == [1]
    assert case.refunded_fen == 6800


def test_retry_of_somebody_else_is_refused(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.wechatpay.next_refund("NOT_ENOUGH")
    world.wang.clicks(card, "同意")
    old = case.card().expect_button("重试退款")
    assert world.wang.clicks(old, "重试退款").refused
    world.chen.clicks(old, "重试退款")
    case.card().expect("已退款")
    again = world.chen.clicks_as_it_was(old, "重试退款")
    assert again.refused
    assert case.refund_calls == [1]


def test_the_customers_account_cannot_take_it(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.wechatpay.next_refund("ABNORMAL")
    world.wang.clicks(card, "同意")
    case.card().expect("异常：客户账户无法收款")
    card.expect("已批准", "异常")
    world.group.expect_text(case.number, "异常", "商户平台")
    assert case.refund_calls == [1]
    assert case.refunded_fen == 0


def test_the_platform_closes_the_refund(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.wechatpay.next_refund("CLOSED")
    world.wang.clicks(card, "同意")
    case.card().expect("失败，没有退款")
    world.group.expect_text(case.number, "失败，没有退款")
    assert case.refunded_fen == 0
    # The order is as it was: the same money may be asked for once more.
    world.asks_refund(case, reason="第二次申请")
    world.refunded(case)
    assert case.refunded_fen == 6800


def test_the_customers_account_is_gone(world: World) -> None:
    case = world.claimed()
    card = world.asks_refund(case)
    world.wechatpay.next_refund("USER_ACCOUNT_ABNORMAL")
    world.wang.clicks(card, "同意")
    standing = case.card().expect("失败，没有退款", "用户账户异常")
    assert "重试退款" not in standing.buttons, "a repeat would be told the same"
    assert case.refund_calls == []


@pytest.mark.both_databases
def test_news_of_a_refund_that_comes_late_twice_or_never(world: World) -> None:
    late, twice, never = (world.claimed() for _ in range(3))
    for case, fault in (
        (twice, PushFault.REPEAT),
        (late, PushFault.DELAY),
        (never, PushFault.LOSE),
    ):
        card = world.asks_refund(case)
        world.fault("wechatpay", fault, "REFUND", seconds=30.0)
        world.wang.clicks(card, "同意")
        eventually(lambda case=case: case.refunded_fen, "no money moved")  # type: ignore[misc]  # mypy cannot infer a default
    world.advance(seconds=40)  # more than the first look after 10 s
    for case in (late, twice, never):
        case.card().expect("已退款")
        assert case.refund_calls == [1]
    news = [said for said in world.group.texts() if twice.number in said and "已到账" in said]
    assert len(news) == 1, "news is told once"


def test_what_cannot_be_asked_for_is_said_at_once(world: World) -> None:
    case = world.claimed(amount=6800)
    world.chen.clicks(case.card(), "申请退款")
    form = case.card().expect_button("提交申请")
    assert form.fields["amount"] == "68.00"
    for amount, words in (
        ("100", "最多还能退 ¥68.00"),
        ("0", "必须大于 0"),
        ("六十八", "看不懂金额"),
        ("-5", "看不懂"),
    ):
        toast = world.chen.clicks(form, "提交申请", amount=amount, reason="漏水")
        assert toast.refused
        assert words in toast.words
    assert "不支持" in world.chen.clicks(form, "提交申请", reason="漏水😀").words
    assert world.group.cards("退款审批", case.order) == []
    assert not world.chen.clicks(form, "提交申请", amount="￥１０.５", reason="漏水").refused
    assert world.approval(case).facts["退款金额"] == "¥10.50"
    world.refunded(case)
    assert case.refunded_fen == 1050


@pytest.mark.both_databases
def test_a_second_request_while_one_is_in_hand(world: World) -> None:
    case = world.claimed()
    world.chen.clicks(case.card(), "申请退款")
    form = case.card().expect_button("提交申请")
    world.chen.clicks(form, "提交申请", reason="漏水")
    case.card().expect("待审批")
    again = world.chen.clicks_as_it_was(form, "提交申请", {"reason": "漏水"})
    assert again.refused
    assert "已有一笔退款" in again.words
    assert len(world.group.cards("退款审批", case.order)) == 1
