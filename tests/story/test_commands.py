"""Words: what people type, however they type it, and what they are told."""

from __future__ import annotations

import pytest

from sandbox.faults import CallFault, PushFault
from tests.story.waiting import eventually
from tests.story.world import World


def test_the_list_pages_and_filters(fresh_world: World) -> None:
    world = fresh_world
    cases = [world.customer.complains(f"第 {number} 个投诉", wait=False) for number in range(1, 9)]
    for case in cases:
        case.card()
    world.chen.clicks(cases[0].card(), "认领")
    cases[0].card().expect("待回复")
    card = world.chen.says("/投诉").card()
    assert card.title == "投诉 · 未完结"
    assert "第 1/2 页，共 8 条" in card.plain
    assert card.plain.count("· ¥68.00") == 6
    world.chen.clicks(card, "下一页")
    second = card.expect("第 2/2 页")
    assert second.plain.count("· ¥68.00") == 2
    assert "下一页" not in second.buttons
    world.chen.clicks(card, "上一页")
    card.expect("第 1/2 页")
    world.chen.chooses(card, "待认领")
    unclaimed = card.expect("共 7 条")
    assert unclaimed.title == "投诉 · 待认领"
    assert f"{cases[0].number} ·" not in unclaimed.plain
    world.chen.chooses(card, "我处理的")
    mine = card.expect("共 1 条")
    assert f"{cases[0].number} ·" in mine.plain
    world.chen.clicks(mine, "打开")
    eventually(lambda: len(world.group.cards("投诉 C", cases[0].order)) == 2, "the complaint was not opened")
    world.li.chooses(card, "我处理的")
    assert "没有符合条件的投诉" in card.expect("没有符合").plain
    world.chen.chooses(card, "已超时")
    card.expect("没有符合条件的投诉")
    assert "共 8 条" in world.chen.says("/投诉 全部").card().plain
    assert "第 2/2 页" in world.chen.says("/投诉 全部 2").card().plain


def test_help_shows_what_this_person_may_do(world: World) -> None:
    operators = world.chen.says("/帮助").card().plain
    assert "/投诉" in operators
    assert "/订阅" in operators
    assert "/授权" not in operators
    assert "/审计" not in operators
    approvers = world.wang.whispers("帮助").card().plain
    assert "/审计" in approvers
    assert "/授权" not in approvers
    admins = world.zhao.says("/help").card().plain
    for command in ("/授权", "/撤权", "/审计", "/投诉", "/状态"):
        assert command in admins
    strangers = world.sun.whispers("?").card().plain
    assert "还没有任何角色" in strangers
    assert "/投诉" not in strangers


def test_a_typo_is_met_with_a_guess_among_what_is_permitted(world: World) -> None:
    assert "/投诉" in world.chen.says("/头诉").answer("没有命令「头诉」", "你是不是想用")
    assert "/complaints" in world.chen.says("/complaint_").answer("你是不是想用")
    assert "/授权" in world.zhao.says("/授劝").answer("你是不是想用")
    assert "授权" not in world.chen.says("/授劝").answer("没有命令「授劝」")
    assert "/grant" not in world.chen.says("/grnat").answer("没有命令")
    world.chen.says("/完全不存在的命令").answer("/帮助")


@pytest.mark.parametrize(
    "typed",
    [
        "/投诉 {number}", "投诉 {number}", "／投诉　{wide}", "、投诉 {number}", "/投诉 “{number}”",
        "/投诉 「{number}」",
        "/投诉 '{number}'", '/投诉 "{number}"', "/投诉 ‘{number}’", "/投诉 『{number}”", "/complaint {number}",
        "/TS {lower}", "  /投诉\t{number}\n", "/投诉 筛选={number}", "/投\u200b诉 {number}", "/ 投诉 {number}",
    ],
)  # fmt: skip
def test_however_it_is_typed(world: World, typed: str) -> None:
    case = world.group.cards("投诉 C")[0] if world.group.cards("投诉 C") else world.customer.complains().card()
    number = case.title.split()[1]
    wide = "".join(chr(ord(character) + 0xFEE0) for character in number)
    text = typed.format(number=number, wide=wide, lower=number.lower())
    assert world.chen.says(text).card().title == case.title


def test_arguments_missing_extra_or_wrong(world: World) -> None:
    missing = world.zhao.says("/授权").answer("还缺")
    assert "人员" in missing
    assert "角色" in missing
    assert "例如" in missing
    assert "/我" in world.chen.says("/我 多余的话").answer("多出了「多余的话」", "没有执行")
    world.chen.says("/投诉 全部 第二页").answer("「页」", "第二页", "没有执行")
    world.chen.says("/投诉 全部 0").answer("「页」", "「0」", "没有执行")
    world.chen.says("/投诉 随便").answer("不认识筛选「随便」", "未完结")
    world.chen.says("/投诉 C99999").answer("没有投诉 C99999")
    world.zhao.says("/审计 XYZ").answer("看不懂「XYZ」")
    world.zhao.says("/审计 C99999").answer("没有 C99999")
    world.chen.says("/订阅 日报 25:99").answer("看不懂时间")
    world.chen.says("/订阅 周报").answer("没有摘要「周报」")
    world.chen.whispers("/订阅 日报 09:00").answer("请在群里订阅")
    world.chen.says("/投诉 “我的").answer("引号没有成对")
    world.chen.says("/投诉 " + "很" * 3000).answer("「筛选」", "没有执行")


def test_hostile_words_come_back_as_the_text_they_are(world: World) -> None:
    hostile = '<at user_id="all">所有人</at>**粗**'
    answer = world.chen.whispers(f"/{hostile}").answer("没有命令")
    assert "@所有人" not in answer
    for message in world.chen.private.messages():
        assert not [mention for mention in message.mentions if mention.open_id == "all"]
        if message.sender_kind == "bot" and message.msg_type == "text":
            assert "@_all" not in str(message.content)


def test_mentioned_or_not_in_a_group(world: World) -> None:
    world.feishu.app.scopes.add("im:message.group_msg")  # the app may hear everything in its groups
    assert world.chen.says("/我", mention=False).card().title == "陈晨 的角色和权限"
    assert world.chen.says("我", mention=False).ignored(), "people talk about themselves all day"
    assert world.chen.says("/roll 2d6", mention=False).ignored(), "a slash for another bot"
    assert world.chen.says("大家中午吃什么", mention=False).ignored()
    world.chen.says("大家中午吃什么").answer("没有命令")
    assert "我可以帮你做什么" in world.chen.says("").card().title
    assert world.chen.says("@李雷 你看一下", mention=False).ignored()


def test_talk_among_people_costs_no_job_and_a_command_beside_it_is_answered(world: World) -> None:
    world.feishu.app.scopes.add("im:message.group_msg")
    assert world.chen.says("/我", mention=False).card(), "from here on the bot knows its own id"
    talk = [world.chen.says(words, mention=False) for words in ("吃了吗", "/roll 2d6", "@李雷 看一下", "投诉真多")]
    assert world.chen.says("/我").card().title == "陈晨 的角色和权限"
    for said in talk:
        assert said.ignored()
        assert world.truth.settled_on_arrival(said.message.message_id)
    asked = world.chen.says("大家中午吃什么")
    asked.answer("没有命令")
    assert not world.truth.settled_on_arrival(asked.message.message_id)


def test_in_private(world: World) -> None:
    assert world.chen.whispers("/我").card().title == "陈晨 的角色和权限"
    assert world.chen.whispers("投诉").card().title.startswith("投诉 · ")
    world.chen.whispers("", msg_type="sticker", content={"file_key": "x"}).answer("只能读文字")


def test_an_edited_message_counts_as_it_was_sent(world: World) -> None:
    said = world.chen.says("/我")
    world.feishu.user_edits(said.message.message_id, "/帮助")
    assert said.card().title == "陈晨 的角色和权限"
    world.quiet()
    assert len(world.group.answers_to(said.message)) == 1


def test_the_answer_to_a_recalled_message_still_comes(world: World) -> None:
    before = len(world.group.cards("陈晨 的角色和权限"))
    world.fault("feishu", CallFault.TOO_MANY, "/reply", times=1)
    said = world.chen.says("/我")
    world.log.expect("outbox.later")
    world.feishu.user_recalls(said.message.message_id)
    world.advance(seconds=5)
    eventually(lambda: len(world.group.cards("陈晨 的角色和权限")) == before + 1, "the answer was lost")


def test_a_command_from_long_ago_is_not_carried_out(world: World) -> None:
    world.fault("feishu", PushFault.DELAY, "im.message", seconds=3600)
    said = world.chen.says("/我")
    world.advance(hours=1, minutes=1)
    world.log.expect("message.too_old")
    assert said.ignored()


def test_home_and_todo(world: World) -> None:
    case = world.claimed()
    world.asks_refund(case)
    world.chen.whispers("/待办")
    todo = world.chen.private.expect_card("陈晨 的待办", case.number)
    assert f"{case.number} ·" in todo.plain
    world.wang.whispers("/待办")
    waiting = world.wang.private.expect_card("王芳 的待办", "审批 A")
    world.wang.clicks(waiting, "打开")
    home = world.chen.says("/首页").card()
    assert int(home.facts["未完结投诉"]) >= 1
    world.chen.clicks(home, "我的待办")
    eventually(lambda: len(world.chen.private.cards("陈晨 的待办")) == 2, "no list of what waits came")
    world.sun.whispers("/待办")
    world.sun.private.expect_card("待办", "没有等你处理的事")


def test_what_was_done_anywhere_is_told_in_private(world: World) -> None:
    case = world.claimed()
    before = len(world.zhao.private.cards("审计"))
    world.zhao.says("/审计").answer("私聊")
    eventually(lambda: len(world.zhao.private.cards("审计")) == before + 1, "the audit did not come")
    assert f"陈晨 认领了投诉 {case.number}" in world.zhao.private.cards("审计")[-1].plain


def test_status_says_that_all_is_well(world: World) -> None:
    world.quiet()
    card = world.zhao.says("/状态").card()
    assert "一切正常" in card.plain
    world.chen.says("/状态").answer("没有「查看系统状态」的权限")


def test_somebody_who_reads_english(world: World) -> None:
    case = world.customer.complains()
    head = case.card().content["header"]["title"]["i18n_content"]["en_us"]
    assert head == f"Complaint {case.number} · ¥68.00"
    result = world.feishu.click_button(world.li.open_id, case.card().message_id, "Claim")
    assert result.toast_text == f"Complaint {case.number} is yours"
    case.card().expect("李雷")
