"""Refunds and their approvals: agreed, rejected, withdrawn, expired; refused by the platform, tried again, abnormal."""

from __future__ import annotations

from sandbox.company import GROUP
from sandbox.faults import CallFault, PushFault
from sandbox.feishu.card_client import find_button
from sandbox.feishu.state import Message
from tests.golden.player import CHEN, LI, SUN, WANG, ZHAO, Player

_REFUNDS = "/v3/refund/domestic/refunds"


def claimed(play: Player, words: str, amount: int = 6800, **more: object) -> Message:
    play.complains(words, amount, **more)
    card = play.card(GROUP, "投诉 C", words)
    play.clicks(CHEN, card, "认领")
    return card


def asked(play: Player, words: str, amount: int = 6800) -> tuple[Message, Message]:
    """The complaint's card, and the one in the group that asks for approval."""
    card = claimed(play, words, amount)
    play.clicks(CHEN, card, "申请退款")
    play.clicks(CHEN, card, "提交申请", reason=words)
    return card, play.card(GROUP, "退款审批")


def agreed(play: Player) -> None:
    card = claimed(play, "杯子漏水")
    play.clicks(CHEN, card, "申请退款")
    form = card.content
    for amount, reason in (("100", "漏水"), ("0", "漏水"), ("六十八", "漏水"), ("68", "漏水😀")):
        play.clicks(CHEN, card, "提交申请", amount=amount, reason=reason)
    play.clicks(CHEN, card, "提交申请", amount="￥１０.5", reason="杯子漏水")
    play.as_it_was(CHEN, card, form, "提交申请", {"reason": "再来一次"})
    asks = play.card(GROUP, "退款审批")
    before = asks.content
    for who in (CHEN, LI, SUN):
        play.clicks(who, asks, "同意")
    play.clicks(WANG, asks, "撤回申请")
    play.whispers(WANG, "/待办")
    play.clicks(WANG, play.card(WANG, "待办"), "打开")
    play.clicks(WANG, asks, "同意")
    play.as_it_was(WANG, asks, before, "同意")
    play.later(seconds=30)
    play.says(ZHAO, "/审计 R1")
    play.says(WANG, "/audit A1")


def dropped(play: Player) -> None:
    card, asks = asked(play, "换货未果")
    private = play.card(WANG, "退款审批")
    play.clicks(WANG, private, "驳回")
    form = private.content
    play.clicks(WANG, private, "驳回", reason="   ")
    play.clicks(WANG, private, "返回")
    play.clicks(WANG, private, "驳回")
    play.clicks(WANG, private, "驳回", reason="请先提供照片")
    play.as_it_was(WANG, private, form, "驳回", {"reason": "晚了"})
    for label, on in (("撤回退款申请", card), ("撤回申请", None)):
        play.clicks(CHEN, card, "申请退款")
        play.clicks(CHEN, card, "提交申请", reason="再申请一次")
        asks = play.card(GROUP, "退款审批")
        before = card.content
        play.clicks(CHEN, on or asks, label)
        play.as_it_was(CHEN, card, before, "撤回退款申请")
    value = dict(find_button(form, "驳回").callback())
    forgeries: list[object] = [{**value, "s": "1"}, {**value, "v": 99}, {"a": "approval.approve"}, {}, "approve", None]
    for number, forged in enumerate(forgeries):
        play.sends(WANG, private, {"tag": "button", "value": forged}, f"forgery {number}")
    play.sends(WANG, asks, {"tag": "button", "value": value}, "a click that was meant for another chat")


def by_two(play: Player) -> None:
    """Above the limit two must agree; there is one approver, so the administrators are asked at once."""
    _, asks = asked(play, "扫地机器人坏了", 128000)
    play.clicks(WANG, asks, "同意")
    play.clicks(WANG, asks, "同意")
    play.clicks(ZHAO, play.card(ZHAO, "退款审批"), "同意")
    play.later(seconds=30)


def by_time(play: Player) -> None:
    """Nobody decides: it goes up after its deadline, and expires after another one."""
    card, asks = asked(play, "等不到人")
    before = asks.content
    play.later(hours=4)
    play.later(hours=4)
    play.as_it_was(ZHAO, asks, before, "同意")
    play.clicks(CHEN, card, "申请退款")
    play.clicks(CHEN, card, "提交申请", reason="第二次")
    play.later(hours=4)
    play.clicks(ZHAO, play.card(ZHAO, "退款审批"), "同意")
    play.later(seconds=30)


def refused(play: Player) -> None:
    card, asks = asked(play, "余额不足")
    play.wechatpay.next_refund("NOT_ENOUGH")
    play.clicks(WANG, asks, "同意")
    play.clicks(WANG, card, "重试退款")
    before = card.content
    play.clicks(CHEN, card, "重试退款")
    play.as_it_was(CHEN, card, before, "重试退款")
    play.later(seconds=30)
    for outcome, words in (("USER_ACCOUNT_ABNORMAL", "账户已注销"), ("CLOSED", "退款被关闭"), ("ABNORMAL", "无法收款")):
        _, asks = asked(play, words)
        play.wechatpay.next_refund(outcome)  # type: ignore[arg-type]  # one of its names
        play.clicks(WANG, asks, "同意")
        play.later(seconds=30)


def unknown(play: Player) -> None:
    """The platform cannot be asked; the timer finds out, and nothing is paid twice."""
    _, asks = asked(play, "没有回音")
    down = play.fault("wechatpay", CallFault.DOWN, _REFUNDS, times=-1)
    play.clicks(WANG, asks, "同意")
    play.later(seconds=30)
    play.mended(down)
    play.later(seconds=30)
    play.later(minutes=1)
    _, asks = asked(play, "没有通知")
    lost = play.fault("wechatpay", PushFault.LOSE, "REFUND")
    play.clicks(WANG, asks, "同意")
    play.mended(lost)
    play.later(seconds=30)
    play.later(seconds=30)


def play(player: Player) -> None:
    by_time(player)
    agreed(player)
    dropped(player)
    by_two(player)
    refused(player)
    unknown(player)
