"""Roles given and taken in chat, people who change or leave, and the bot's own coming and going."""

from __future__ import annotations

from sandbox.company import GROUP
from sandbox.faults import PushFault
from tests.golden.acts.refunds import asked
from tests.golden.player import CHEN, LI, SUN, WANG, ZHAO, Player


def roles(play: Player) -> None:
    for who, text in (
        (CHEN, "/授权 @孙悦 operator"), (ZHAO, "/授权 @孙悦 皇帝"), (ZHAO, "/授权 @孙悦 operator 别家"),
        (ZHAO, "/授权 孙悦 operator"), (ZHAO, "/授权 @所有人 operator"), (ZHAO, "/撤权 @孙悦 operator"),
        (ZHAO, "/撤权 @赵敏 admin"), (ZHAO, "/授权 @孙悦 operator 云杉商城"), (ZHAO, "/授权 @孙悦 operator mall"),
        (ZHAO, "/grant @孙悦 reader *"), (SUN, "/我"), (SUN, "/授权 @陈晨 admin"),
    ):  # fmt: skip
        play.says(who, text)
    play.complains("轮到孙悦")
    card = play.card(GROUP, "投诉 C", "轮到孙悦")
    play.clicks(SUN, card, "认领")
    before = card.content
    play.says(ZHAO, "/撤权 @孙悦 operator")
    play.as_it_was(SUN, card, before, "释放")
    play.says(ZHAO, "/revoke @孙悦 reader")
    play.says(ZHAO, "/授权 @孙悦 admin")
    play.says(SUN, "/撤权 @赵敏 admin")
    play.says(ZHAO, "/撤权 @孙悦 admin")
    play.says(SUN, "/授权 @赵敏 admin")
    play.says(SUN, "/撤权 @孙悦 admin")


def leavers(play: Player) -> None:
    for name, open_id, role in (
        ("许强", "ou_xu", "operator"),
        ("邓丽", "ou_deng", "approver"),
        ("罗平", "ou_luo", "support"),
    ):
        play.feishu.add_user(name, open_id)
        play.act(f"{name} joins", lambda open_id=open_id: play.feishu.join(open_id, GROUP))  # type: ignore[misc]
        play.says(ZHAO, f"/授权 @{name} {role}")
    play.complains("许强的投诉")
    card = play.card(GROUP, "投诉 C", "许强的投诉")
    play.clicks("ou_xu", card, "认领")
    play.clicks("ou_xu", card, "申请退款")
    play.clicks("ou_xu", card, "提交申请", reason="许强申请")
    play.act("许强 leaves", lambda: play.feishu.user_leaves("ou_xu"))
    lost = play.fault("feishu", PushFault.LOSE, "contact.user.deleted")
    play.act("邓丽 leaves and nobody is told", lambda: play.feishu.user_leaves("ou_deng"))
    play.mended(lost)
    play.says(SUN, "/授权 @许强 operator")
    _changes(play, "ou_luo", "罗萍萍", frozen=False)
    play.whispers("ou_luo", "/我")
    _changes(play, "ou_luo", "罗萍萍", frozen=True)
    _changes(play, "ou_nobody", "谁也不是", frozen=False)
    play.clicks(CHEN, card, "认领")
    play.later(hours=7)


def _changes(play: Player, open_id: str, name: str, *, frozen: bool) -> None:
    """The sandbox's people do not change, so what Feishu tells of it is made here."""
    status = {"is_frozen": frozen, "is_resigned": False, "is_activated": True, "is_exited": False, "is_unjoin": False}
    event = {"object": {"open_id": open_id, "name": name, "status": status}, "old_object": {"name": "…"}}
    play.act(f"{open_id} is {name}, frozen: {frozen}", lambda: _emit(play, "contact.user.updated_v3", event))


def _emit(play: Player, kind: str, event: dict[str, object]) -> None:
    play.feishu.events.emit(play.feishu.app, kind, event)


def the_bot_itself(play: Player) -> None:
    asked(play, "机器人要走了")
    play.act("the bot is taken out of the group", lambda: play.feishu.remove_bot(GROUP, ZHAO))
    play.complains("没人看见的投诉")
    play.clicks(WANG, play.card(WANG, "退款审批"), "同意")
    play.later(seconds=30)
    play.act("the bot is back", lambda: play.feishu.add_bot(GROUP, ZHAO))
    play.says(LI, "/投诉")
    play.clicks(CHEN, play.card(GROUP, "投诉 C", "没人看见的投诉"), "认领")
    play.act("the bot is put into a group that nobody declared", lambda: _strange_group(play))
    event = {"chat_id": GROUP, "operator_id": {"open_id": ZHAO}, "name": "支付投诉群"}
    play.act("the group is disbanded", lambda: _emit(play, "im.chat.disbanded_v1", dict(event)))


def _strange_group(play: Player) -> None:
    chat = play.feishu.add_chat("闲聊", [CHEN, SUN], with_bot=False, chat_id="oc_small_talk")
    play.feishu.add_bot(chat.chat_id, CHEN)


def play(player: Player) -> None:
    roles(player)
    leavers(player)
    the_bot_itself(player)
