"""`/状态` when something is stuck: a job, a message, an event, a call, a process; tried again, put aside, taken up."""

from __future__ import annotations

import sqlite3

from sandbox.company import GROUP
from sandbox.faults import CallFault
from sandbox.feishu.state import Message
from tests.golden.acts.refunds import asked
from tests.golden.player import CHEN, WANG, ZHAO, Player


def shown(play: Player) -> Message:
    play.whispers(ZHAO, "/状态")
    return play.card(ZHAO, "状态")


def a_job(play: Player) -> None:
    play.says(ZHAO, "/状态")
    wrong = play.fault("wechatpay", CallFault.BAD_SIGNATURE, "complaints-v2", times=-1)
    play.complains("读不到的投诉")
    card = shown(play)
    play.says(ZHAO, "/status")
    play.clicks(CHEN, play.card(GROUP, "状态"), "重试")
    play.clicks(ZHAO, card, "重试")
    play.later(seconds=30)
    before = card.content
    play.clicks(ZHAO, card, "搁置")
    play.clicks(ZHAO, card, "恢复")
    play.mended(wrong)
    play.clicks(ZHAO, card, "重试")
    play.as_it_was(ZHAO, card, before, "重试")
    play.clicks(ZHAO, card, "刷新")


def a_message(play: Player) -> None:
    play.act("the bot is taken out of the group", lambda: play.feishu.remove_bot(GROUP, ZHAO))
    play.complains("发不出去")
    card = shown(play)
    play.clicks(ZHAO, card, "搁置")
    play.clicks(ZHAO, card, "恢复")
    play.act("the bot is back", lambda: play.feishu.add_bot(GROUP, ZHAO))
    play.later(seconds=30)
    card = shown(play)
    play.clicks(ZHAO, card, "重试")


def an_event(play: Player) -> None:
    """Nothing that comes in fails for good of itself, so one that was worked off is written down as failed."""
    play.whispers(CHEN, "/我")
    _write(
        play,
        "UPDATE inbox SET state = 'failed', incident = 'feedbeef' WHERE id = (SELECT id FROM inbox"
        " WHERE kind = 'im.message.receive_v1' ORDER BY received_at DESC LIMIT 1)",
    )
    card = shown(play)
    play.clicks(ZHAO, card, "搁置")
    play.clicks(ZHAO, card, "恢复")
    play.clicks(ZHAO, card, "重试")


def a_call(play: Player) -> None:
    _, asks = asked(play, "平台没有回音")
    down = play.fault("wechatpay", CallFault.DOWN, "/v3/refund/domestic/refunds", times=-1)
    play.clicks(WANG, asks, "同意")
    play.later(minutes=6)
    card = shown(play)
    play.clicks(ZHAO, card, "立即查询")
    play.later(seconds=30)
    play.clicks(ZHAO, card, "刷新")
    play.clicks(ZHAO, card, "搁置")
    # For a minute the card follows what comes of a click; what comes of the next ten minutes it must not meet half-way.
    play.later(seconds=30)
    play.later(seconds=30)
    play.mended(down)
    play.later(minutes=10)
    play.clicks(ZHAO, card, "刷新")


def a_process(play: Player) -> None:
    """One that fell silent an hour ago, as the database of a larger house would have it."""
    _write(
        play,
        "INSERT INTO process (name, role, token, started_at, seen_at, ticked_at) SELECT 'worker-9', 'worker', token,"
        " datetime('now', '-3 hours') || '.000000', datetime('now', '-1 hours') || '.000000',"
        " datetime('now', '-1 hours') || '.000000' FROM process LIMIT 1",
    )
    card = shown(play)
    play.clicks(ZHAO, card, "移除")
    play.says(ZHAO, "/审计")


def _write(play: Player, statement: str) -> None:
    with sqlite3.connect(play.folder / "mpops.db", timeout=20) as connection:
        connection.execute(statement)
    connection.close()


def work(player: Player) -> None:
    player.beats = True
    a_job(player)
    a_message(player)
    an_event(player)


def calls(player: Player) -> None:
    player.beats = True
    a_call(player)
    a_process(player)
