"""The group abroad, which reads English and has rules of its own: the same work in the other language."""

from __future__ import annotations

from sandbox.faults import CallFault
from tests.golden.player import CHEN, LI, READER, SUN, ZHAO, Player
from tests.golden.stage import ABROAD

_C = "投诉 C"


def play(player: Player) -> None:
    play = player
    play.complains("The cup leaks", chat=ABROAD)
    card = play.card(ABROAD, _C)
    play.clicks(CHEN, card, "Claim")
    play.clicks(LI, card, "Claim")
    for who, text in (
        (LI, "/complaints"), (LI, "/complaints mine"), (LI, "/complaint C1"), (LI, "/complain"), (LI, "/home"),
        (LI, "/help"), (LI, "/help complaints"), (LI, "/me"), (LI, "/todo"), (SUN, "/complaints"),
        (SUN, "/help"), (LI, "/status"), (LI, "/me too"), (ZHAO, "/grant"), (ZHAO, "/grant @孙悦 emperor"),
        (LI, "/complaints nonsense"), (LI, "/subscribe daily 25:99"), (LI, "/subscribe daily 09:00"),
        (LI, "/subscribe daily 09:00"), (ZHAO, "/audit C1"), (READER, "/audit C1"), (READER, "/audit"),
        (READER, "/complaints"), (CHEN, "/complaints"), (ZHAO, "/grant @孙悦 viewer abroad"),
        (ZHAO, "/revoke @孙悦 viewer abroad"), (ZHAO, "/status"), (LI, "hello there"),
    ):  # fmt: skip
        play.says(who, text, ABROAD)
    play.clicks(LI, card, "Ask for refund")
    play.clicks(LI, card, "Ask for approval", reason="The cup leaks")
    asks = play.card(ABROAD, "退款审批")
    play.clicks(LI, asks, "Approve")
    play.later(minutes=90)
    play.clicks(LI, card, "Ask for refund")
    play.clicks(LI, card, "Ask for approval", amount="12.50", reason="a part of it")
    play.wechatpay.next_refund("NOT_ENOUGH")
    play.clicks(ZHAO, play.card(ABROAD, "退款审批"), "Approve")
    play.clicks(LI, card, "Try the refund again")
    play.later(seconds=30)
    play.complains("Nobody answers", chat=ABROAD)
    card = play.card(ABROAD, _C, "Nobody answers")
    play.later(hours=20)
    play.clicks(LI, card, "Claim")
    play.clicks(LI, card, "Reply")
    bad = play.fault("wechatpay", CallFault.SERVER_ERROR, "/response", method="POST", times=-1)
    play.clicks(LI, card, "Send reply", reply="We are sorry")
    play.mended(bad)
    play.later(minutes=1)
    play.act("the customer writes", lambda: play.wechatpay.customer_writes(list(play.wechatpay.complaints)[-1], "Why?"))
    play.later(minutes=1)
    play.clicks(LI, card, "Hand on")
    play.clicks(LI, card, "Hand on", person=ZHAO)
    play.clicks(ZHAO, card, "Show phone")
    play.says(ZHAO, "/unsubscribe", ABROAD)
