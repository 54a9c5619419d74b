"""Complaints from their arrival to their end: claimed, answered, handed on, finished, and made again."""

from __future__ import annotations

from sandbox.company import GROUP
from sandbox.faults import CallFault, PushFault
from tests.golden.player import CHEN, LI, SUN, WANG, ZHAO, Player


def the_beaten_track(play: Player) -> None:
    case = play.complains("杯子漏水，要求退款", problem="商品破损", phone="13812345678")
    card = play.card(GROUP, "投诉 C1")
    fresh = card.content
    play.clicks(WANG, card, "认领")
    play.clicks(SUN, card, "认领")
    play.clicks(CHEN, card, "认领")
    play.as_it_was(LI, card, fresh, "认领")
    play.as_it_was(CHEN, card, fresh, "认领")
    play.clicks(LI, card, "回复客户")
    play.cannot_click(CHEN, card, "完结投诉")
    play.clicks(CHEN, card, "查看手机号")
    play.clicks(WANG, card, "查看手机号")
    play.clicks(CHEN, card, "回复客户")
    play.chooses(CHEN, card, "致歉并核实")
    play.clicks(CHEN, card, "返回")
    play.clicks(CHEN, card, "回复客户")
    play.chooses(CHEN, card, "问题已解决")
    play.clicks(CHEN, card, "发送回复", reply="好的😀")
    form = card.content
    play.clicks(CHEN, card, "发送回复", reply="您好，我们马上处理")
    play.as_it_was(CHEN, card, form, "发送回复", {"reply": "您好，我们马上处理"})
    play.act("the customer writes", lambda: play.wechatpay.customer_writes(case.id, "什么时候退款？", images=1))
    old = card.content
    play.later(seconds=30)
    play.as_it_was(CHEN, card, old, "完结投诉")
    play.clicks(CHEN, card, "完结投诉")
    play.as_it_was(CHEN, card, old, "完结投诉")
    play.act("the customer complains again", lambda: play.wechatpay.customer_continues(case.id, "还是漏水"))
    play.later(seconds=30)
    play.clicks(CHEN, card, "回复客户")
    play.clicks(CHEN, card, "发送回复", reply="给您换新的")
    play.clicks(CHEN, card, "完结投诉")


def handed_on(play: Player) -> None:
    play.complains("态度差", problem_type="OTHERS", problem="服务态度", phone="", images=2)
    card = play.card(GROUP, "投诉 C", "态度差")
    play.clicks(CHEN, card, "认领")
    play.clicks(CHEN, card, "转交")
    form = card.content
    play.clicks(CHEN, card, "转交", person=LI)
    play.as_it_was(CHEN, card, form, "转交", {"person": LI})
    play.clicks(LI, card, "转交")
    play.as_it_was(LI, card, card.content, "转交", {"person": SUN})
    play.clicks(LI, card, "返回")
    play.clicks(LI, card, "查看手机号")
    play.clicks(CHEN, card, "释放")
    play.clicks(ZHAO, card, "释放")
    play.clicks(ZHAO, card, "认领")
    play.clicks(ZHAO, card, "回复客户")
    refused = play.fault("wechatpay", CallFault.SERVER_ERROR, "/response", method="POST", times=-1)
    play.clicks(ZHAO, card, "发送回复", reply="您好，稍等")
    play.mended(refused)
    play.later(minutes=1)
    lost = play.fault("wechatpay", CallFault.DROP_ANSWER, "/complete", method="POST")
    play.clicks(ZHAO, card, "完结投诉")
    play.mended(lost)
    play.later(minutes=1)


def refused_by_the_channel(play: Player) -> None:
    case = play.complains("发错货了", problem_type="OTHERS")
    card = play.card(GROUP, "投诉 C", "发错货了")
    play.clicks(LI, card, "Claim")
    play.clicks(LI, card, "Reply")
    play.clicks(LI, card, "Send reply", reply="Hello, we are looking into it")
    play.clicks(LI, card, "Reply")
    play.act("it is finished in the merchant's console", lambda: case.completed(play.now, "云杉商城"))
    play.clicks(LI, card, "Send reply", reply="one more thing")
    play.later(minutes=5)
    play.says(LI, f"/complaint {card.content['header']['title']['content'].split()[1]}")


def odd_ones(play: Player) -> None:
    """Complaints that no push told of, about no order, with hostile or very long words."""
    lost = play.fault("wechatpay", PushFault.LOSE, "COMPLAINT.CREATE")
    play.complains("没有推送", problem="")
    play.mended(lost)
    play.later(minutes=5)
    play.act(
        "somebody complains about no order",
        lambda: play.wechatpay.customer_complains(
            "1900000109", None, '<at id=all></at>**粗** {number} [点我](https://evil.example)', problem_type="MARTIAN",
            apply_refund_fen=None,
        ),
    )  # fmt: skip
    play.complains("😀" * 3000, amount=128000, user_tags=("TRUSTED",), immediate=True)
    play.act("the platform looks into it", lambda: play.wechatpay.customer_applies_platform(_last(play)))
    play.act("the platform writes", lambda: play.wechatpay.platform_writes(_last(play), "请尽快处理"))
    play.act("the platform is done", lambda: play.wechatpay.platform_finishes(_last(play)))
    busy = play.fault("feishu", CallFault.TOO_MANY, "/im/v1/messages", times=2)
    play.complains("飞书太忙")
    play.later(minutes=1)
    play.mended(busy)
    play.later(minutes=1)


def _last(play: Player) -> str:
    return list(play.wechatpay.complaints)[-1]


def play(player: Player) -> None:
    the_beaten_track(player)
    handed_on(player)
    refused_by_the_channel(player)
    odd_ones(player)
