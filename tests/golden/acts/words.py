"""What people type: every command, rightly and wrongly; lists with their pages, help, home, to-dos."""

from __future__ import annotations

from sandbox.company import GROUP
from sandbox.faults import PushFault
from tests.golden.player import CHEN, LI, SUN, WANG, ZHAO, Player


def lists(play: Player) -> None:
    for number in range(1, 9):
        play.complains(f"第 {number} 个投诉", phone=f"1391234567{number}")
    play.clicks(CHEN, play.card(GROUP, "投诉 C1 "), "认领")
    play.says(CHEN, "/投诉")
    card = play.card(GROUP, "投诉 · 未完结")
    play.clicks(CHEN, card, "下一页")
    play.clicks(WANG, card, "上一页")
    play.clicks(SUN, card, "下一页")
    for option in ("待认领", "我处理的", "已超时", "全部"):
        play.chooses(CHEN, card, option)
    play.chooses(LI, card, "我处理的")
    play.chooses(CHEN, card, "未完结")
    play.clicks(CHEN, card, "打开")
    play.whispers(CHEN, "投诉")
    play.clicks(CHEN, play.card(CHEN, "投诉 · 未完结"), "打开")
    for text in (
        "/投诉 我的",
        "/投诉 全部 2",
        "/投诉 C2",
        "/投诉 13912345673",
        "/complaints unclaimed",
        "/ts 页=2 筛选=all",
    ):
        play.says(CHEN, text)
    play.whispers(CHEN, "/投诉 13912345673")
    play.says(ZHAO, "/投诉 @陈晨")


def help_and_home(play: Player) -> None:
    for who, text in ((CHEN, "/帮助"), (ZHAO, "/help"), (CHEN, "/帮助 投诉"), (CHEN, "/h 授权"), (ZHAO, "/help grant")):
        play.says(who, text)
    for who, text in (
        (WANG, "帮助"),
        (SUN, "?"),
        (SUN, "/我"),
        (SUN, "/待办"),
        (LI, "/me"),
        (LI, "/todo"),
        (ZHAO, "/home"),
    ):
        play.whispers(who, text)
    play.says(CHEN, "/首页")
    home = play.card(GROUP, "运营助手")
    for who in (CHEN, SUN):
        for label in ("投诉列表", "我的待办", "帮助"):
            play.clicks(who, home, label)
    play.says(CHEN, "/待办")
    play.clicks(CHEN, play.card(CHEN, "待办"), "打开")
    play.says(WANG, "/我")
    for key in ("home", "todo", "help", "anything"):
        play.act(f"陈晨 presses {key} in the menu", lambda key=key: play.feishu.bot_menu(CHEN, key))  # type: ignore[misc]
    play.act("孙悦 presses todo in the menu", lambda: play.feishu.bot_menu(SUN, "todo"))
    play.act("陈晨 opens the private chat", lambda: play.feishu.user_opens_p2p(CHEN) and None)


def wrong(play: Player) -> None:
    for who, text in (
        (CHEN, "/头诉"), (CHEN, "/complaint_"), (ZHAO, "/授劝"), (CHEN, "/授劝"), (CHEN, "/grnat"),
        (CHEN, "/不存在的"), (CHEN, "大家中午吃什么"), (CHEN, ""), (ZHAO, "/授权"), (CHEN, "/我 多余的话"),
        (CHEN, "/投诉 全部 第二页"), (CHEN, "/投诉 全部 0"), (CHEN, "/投诉 随便"), (CHEN, "/投诉 C99999"),
        (ZHAO, "/审计 XYZ"), (ZHAO, "/审计 C99999"), (CHEN, "/订阅 日报 25:99"), (CHEN, "/订阅 周报"),
        (CHEN, "/投诉 “我的"), (CHEN, "/投诉 " + "很" * 300), (SUN, "/投诉"), (CHEN, "/状态"), (CHEN, "/审计"),
        (SUN, "/退订 日报"), (WANG, "/订阅 日报"), (CHEN, "／投诉　Ｃ１"), (CHEN, "、投诉 「C1」"),
    ):  # fmt: skip
        play.says(who, text)
    play.whispers(CHEN, "/订阅 日报 09:00")
    play.whispers(CHEN, '/<at user_id="all">所有人</at>**粗**')
    play.whispers(CHEN, "", msg_type="sticker", content={"file_key": "x"})
    play.feishu.app.scopes.add("im:message.group_msg")
    for text in ("/我", "我", "/roll 2d6", "大家中午吃什么"):
        play.says(CHEN, text, mention_bot=False)
    play.feishu.app.scopes.discard("im:message.group_msg")


def taken_back(play: Player) -> None:
    """Recalled after it was answered, recalled before it was heard, and heard an hour too late."""
    said = play.says(CHEN, "/我")
    play.act("陈晨 recalls that", lambda: play.feishu.user_recalls(said.message_id))
    late = play.fault("feishu", PushFault.LOSE, "im.message.receive")
    play.act("陈晨 says something that nobody hears of", lambda: play.feishu.user_sends(CHEN, GROUP, "/我") and None)
    play.mended(late)


def subscribed(play: Player) -> None:
    for text in (
        "/退订 日报",
        "/退订 日报",
        "/订阅 日报 08:30",
        "/订阅 09:15",
        "/unsubscribe",
        "/subscribe daily 10点",
    ):
        play.says(CHEN, text)


def audit(play: Player) -> None:
    play.says(ZHAO, "/审计 C1")
    play.says(ZHAO, "/审计")
    play.says(WANG, "/审计 C2")
    play.whispers(ZHAO, "/审计")
    card = play.card(ZHAO, "审计", back=1)
    play.clicks(ZHAO, card, "更早")
    play.clicks(ZHAO, card, "最新")


def play(player: Player) -> None:
    lists(player)
    help_and_home(player)
    wrong(player)
    taken_back(player)
    subscribed(player)
    audit(player)
