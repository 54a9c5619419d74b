"""What time brings: reminders, the morning's digest, jobs by the clock, cards that grow old."""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from sandbox.company import GROUP
from tests.golden.player import CHEN, LI, ZHAO, Player


def reminders(play: Player) -> None:
    """One complaint only: what is due at the same moment has no order that could be kept."""
    play.complains("没有人回复", problem_type="OTHERS")
    card = play.card(GROUP, "投诉 C1")
    play.later(hours=3)
    play.later(hours=17)
    play.clicks(CHEN, card, "认领")
    play.later(hours=3)
    play.later(hours=1)
    play.later(hours=2)
    play.says(CHEN, "/投诉 超时")
    play.clicks(CHEN, card, "回复客户")
    play.clicks(CHEN, card, "发送回复", reply="抱歉来晚了")
    for hours in (42, 3, 1, 5):
        play.later(hours=hours)
    play.says(CHEN, "/日报")
    play.clicks(CHEN, card, "完结投诉")
    play.says(ZHAO, "/审计 C1")


def morning(play: Player, hour: int, minute: int) -> None:
    here = play.now.astimezone(ZoneInfo("Asia/Shanghai"))
    at = (here + timedelta(days=1)).replace(hour=hour, minute=minute, second=30, microsecond=0)
    play.at(at.astimezone(UTC))


def digests(play: Player) -> None:
    play.complains("日报里的投诉")
    play.clicks(LI, play.card(GROUP, "投诉 C", "日报里的投诉"), "Claim")
    morning(play, 9, 0)
    play.clicks(CHEN, play.card(GROUP, "日报"), "查看未完结")
    play.says(CHEN, "/退订 日报")
    morning(play, 8, 40)
    card = play.card(GROUP, "投诉 C", "日报里的投诉")
    play.clicks(LI, card, "Reply")
    play.clicks(LI, card, "Send reply", reply="Hello")
    play.clicks(LI, card, "Finish")


def old_cards(play: Player) -> None:
    play.complains("一直放着")
    play.clicks(CHEN, play.card(GROUP, "投诉 C", "一直放着"), "认领")
    # The first reply's deadline by itself, then the end's: what is due at the same moment has no order.
    play.later(days=2)
    play.later(days=12, hours=1)
    play.clicks(CHEN, play.card(GROUP, "投诉 C", "一直放着"), "回复客户")
    play.later(days=80)


def play(player: Player) -> None:
    reminders(player)
    digests(player)
    old_cards(player)
