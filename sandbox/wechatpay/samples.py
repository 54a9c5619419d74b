"""What customers might write: everyday complaints and hostile ones, for the console and for tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """A complaint to file. `title` names it in the console; amounts in fen."""

    key: str
    title: str
    text: str
    problem_type: str = "OTHERS"
    problem: str = "其他问题"
    amount_fen: int = 5_800
    apply_refund_fen: int | None = None
    goods: str = "商城订单"
    images: int = 0
    user_tags: tuple[str, ...] = ()
    immediate: bool = False
    hostile: bool = False


_LONG = "我已经等了很多天，客服每次都说马上处理，但是一直没有结果。"  # 29 characters, 87 bytes

SAMPLES: tuple[Sample, ...] = (
    Sample(
        key="not_delivered",
        title="没收到货，要求退款",
        text="11 月 3 日下的单，到现在物流一直停在分拨中心，商家电话也打不通。我不要了，请把钱退给我。",
        problem_type="REFUND",
        problem="商家未发货，申请退款",
        amount_fen=12_900,
        apply_refund_fen=12_900,
        goods="保温杯 500ml 两只",
        images=2,
        user_tags=("TRUSTED",),
    ),
    Sample(
        key="wrong_size",
        title="尺码不对，部分退款",
        text="衣服发错了尺码，我要的是 XL，来的是 M。朋友能穿就不退货了，希望退一部分差价。",
        problem_type="REFUND",
        problem="商品与描述不符",
        amount_fen=26_800,
        apply_refund_fen=8_000,
        goods="男士夹克 XL",
        images=1,
    ),
    Sample(
        key="membership",
        title="会员没到账",
        text="付款成功了，可是会员一直没有开通，打开小程序还是让我再付一次。",
        problem_type="SERVICE_NOT_WORK",
        problem="付款后未获得服务",
        amount_fen=1_990,
        goods="月度会员",
    ),
    Sample(
        key="charged_twice",
        title="重复扣款",
        text="同一个订单扣了我两次钱，余额和银行卡各一次！请尽快核实，并退还多扣的 35.50 元。",
        problem_type="REFUND",
        problem="重复扣款",
        amount_fen=3_550,
        apply_refund_fen=3_550,
        goods="外卖套餐",
        images=1,
    ),
    Sample(
        key="rude_staff",
        title="客服态度差",
        text="问了三次发票怎么开，客服直接把我拉黑了，这就是你们的服务态度吗？",
        problem="商家服务态度问题",
        amount_fen=59_900,
        goods="扫地机器人滤网",
        user_tags=("HIGH_RISK",),
    ),
    Sample(
        key="power_bank",
        title="充电宝还了还在计费（要求马上答复）",
        text="充电宝昨晚已经归还到同一台机器，订单还在计费，现在扣到 99 元封顶了。",
        problem_type="SERVICE_NOT_WORK",
        problem="归还后仍在计费",
        amount_fen=9_900,
        goods="共享充电宝",
        immediate=True,
    ),
    Sample(
        key="at_everybody",
        title="恶意：@所有人、卡片标签",
        text='<at id=all></at><at user_id="all">所有人</at> <font color="red">紧急通知</font> '
        "<button>点我退款</button> {{card}} </card>",
        problem='<at id=all></at>"]}',
        hostile=True,
    ),
    Sample(
        key="markdown",
        title="恶意：Markdown 与链接",
        text="# 大标题\n**加粗** ~~删除~~ `code`\n[点这里领红包](https://phish.example/pay) "
        "![图](http://169.254.169.254/latest/meta-data/)\n| a | b |\n|---|---|\n---\n> 引用\n- [ ] 待办",
        problem_type="REFUND",
        problem="[退款](javascript:alert(1))",
        amount_fen=100,
        apply_refund_fen=100,
        hostile=True,
    ),
    Sample(
        key="very_long",
        title="恶意：40 KB 长文",
        text=_LONG * (40_960 // len(_LONG.encode()) + 1),
        problem="长" * 256,
        hostile=True,
    ),
    Sample(
        key="control_characters",
        title="恶意：控制字符与反向文字",
        text="零\x00字节\x07响铃\x1b[31m终端颜色\x1b[0m\r\n换\u2028行\u200b零宽\u202e反向文字\ufeff结束\x7f",
        problem="控制\x01字符",
        hostile=True,
    ),
    Sample(
        key="emoji",
        title="恶意：表情与四字节汉字",
        text="😡😡😡 退钱！！！👨‍👩‍👧‍👦🇨🇳 𠮷野家 " + "🔥" * 120,
        problem_type="REFUND",
        problem="😤 不满意",
        amount_fen=4_500,
        apply_refund_fen=9_999_999,
        hostile=True,
    ),
    Sample(key="empty", title="恶意：空白内容", text=" \n\t ", problem="", hostile=True),
)


def sample(key: str) -> Sample:
    for known in SAMPLES:
        if known.key == key:
            return known
    raise KeyError(key)
