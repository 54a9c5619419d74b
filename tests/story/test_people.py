"""Who may what, from chat; and what happens to the work of people who may no longer."""

from __future__ import annotations

from sandbox.faults import PushFault
from sandbox.feishu.card_client import find_button
from tests.story.waiting import eventually
from tests.story.world import World


def test_a_newcomer_gets_a_role(world: World) -> None:
    newcomer = world.hires("林")
    newcomer.says("/投诉").answer("还没有任何角色", "没有执行")
    assert "还没有任何角色" in newcomer.whispers("/我").card().plain
    world.zhao.says(f"/授权 @{newcomer.name} operator 云杉商城").answer("已授予", newcomer.name, "operator", "云杉商城")
    newcomer.private.expect_text("赵敏 授予你角色 operator")
    newcomer.says("/投诉").card()
    me = newcomer.whispers("/我").card()
    assert me.facts["角色 operator"] == "mall"
    assert "处理投诉" in me.plain
    assert "管理人员和角色" not in me.plain
    world.zhao.says(f"/授权 @{newcomer.name} operator mall").answer("已经有角色")
    told = world.zhao.whispers("/审计").card().plain
    assert f"赵敏 授予 {newcomer.name} 角色 operator（mall）" in told


def test_roles_are_given_only_by_those_who_may_and_only_real_ones(world: World) -> None:
    world.chen.says("/授权 @孙悦 operator").answer("没有「管理人员和角色」的权限", "没有执行")
    world.zhao.says("/授权 @孙悦 皇帝").answer("没有角色「皇帝」", "approver")
    world.zhao.says("/授权 @孙悦 operator 别家").answer("没有业务「别家」", "mall")
    world.zhao.says("/授权 孙悦 operator").answer("请用 @ 指明人员")
    world.zhao.says("/授权 @所有人 operator").answer("请用 @ 指明人员")
    world.zhao.says("/撤权 @孙悦 operator").answer("没有角色 operator", "没有变化")
    assert "还没有任何角色" in world.sun.whispers("/我").card().plain


def test_the_last_administrator_stays(world: World) -> None:
    world.zhao.says("/撤权 @赵敏 admin").answer("最后一位管理员", "不能撤销")
    second = world.hires("高", "admin")
    world.zhao.says(f"/撤权 @{second.name} admin").answer("已撤销")
    world.zhao.says("/撤权 @赵敏 admin").answer("最后一位管理员")


def test_whoever_loses_the_role_loses_the_complaints(world: World) -> None:
    worker = world.hires("何", "operator")
    case = world.claimed(by=worker)
    world.zhao.says(f"/撤权 @{worker.name} operator").answer("已撤销", "释放其处理中的投诉 1 条")
    world.group.expect_text(case.number, worker.name, "现在没有人处理")
    card = case.card().expect("待认领")
    assert card.buttons == ["认领"]
    assert "还没有任何角色" in worker.clicks(card, "认领").words
    world.chen.clicks(card, "认领")
    case.card().expect("陈晨")


def test_an_approver_who_lost_the_role_is_refused_on_the_old_card(world: World) -> None:
    former = world.hires("罗", "approver")
    case = world.claimed()
    world.asks_refund(case)
    old = world.approval(case, former.private)
    world.zhao.says(f"/撤权 @{former.name} approver").answer("已撤销")
    toast = former.clicks_as_it_was(old, "同意")
    assert toast.refused
    assert "不是这项申请的审批人" in toast.words
    assert case.refund_calls == []
    world.refunded(case)
    assert case.refund_calls == [1]


def test_a_vote_stays_a_vote_but_a_role_lost_before_the_click_counts(world: World) -> None:
    first, second = world.hires("宋", "approver"), world.hires("唐", "approver")
    case = world.claimed(amount=128000)
    card = world.asks_refund(case)
    first.clicks(card, "同意")
    card.expect("1 / 2")
    world.zhao.says(f"/撤权 @{second.name} approver").answer("已撤销")
    assert second.clicks(card, "同意").refused
    assert case.refund_calls == []
    world.wang.clicks(card, "同意")
    card.expect("已退款")
    assert case.refund_calls == [1]


def test_somebody_leaves_the_company(world: World) -> None:
    leaver = world.hires("许", "operator", "approver")
    case = world.claimed(by=leaver)
    world.feishu.user_leaves(leaver.open_id)
    world.zhao.private.expect_text(leaver.name, "已离职", "收回角色 2 个", "释放投诉 1 条")
    world.group.expect_text(case.number, "现在没有人处理")
    case.card().expect("待认领")
    told = world.zhao.whispers("/审计").card().plain
    assert f"{leaver.name} 离职" in told
    other = world.claimed()
    world.asks_refund(other)
    world.quiet()
    assert leaver.private.cards("退款审批", other.order) == [], "who left is not asked"


def test_a_leaver_whom_no_event_told_about(world: World) -> None:
    leaver = world.hires("邓", "operator")
    case = world.claimed(by=leaver)
    world.fault("feishu", PushFault.LOSE, "contact.user.deleted")
    world.feishu.user_leaves(leaver.open_id)
    world.advance(hours=7)
    world.zhao.private.expect_text(leaver.name, "已离职")
    case.card().expect("待认领")


def test_hand_on_and_release(world: World) -> None:
    case = world.claimed()
    world.chen.clicks(case.card(), "转交")
    form = case.card().expect("转交给")
    submit = find_button(form.content, "转交")
    forged = {"tag": "button", "value": submit.callback(), "form_value": {"person": world.sun.open_id}}
    assert "没有处理这条投诉的权限" in world.chen.sends_click(form, forged).words
    world.chen.clicks(form, "转交", person=world.li.open_id)
    case.card().expect("李雷", "回复客户")
    world.li.private.expect_text("陈晨 把投诉", case.number, "转交给你")
    assert world.chen.clicks(case.card(), "释放").refused
    world.zhao.clicks(case.card(), "释放")
    eventually(lambda: case.card().facts["处理人"] == "待认领", "an administrator may release")


def test_the_phone_is_shown_to_one_person_and_written_down(world: World) -> None:
    case = world.claimed(phone="13912345678")
    support = world.hires("韩", "support")
    assert "查看客户手机号" in support.clicks(case.card(), "查看手机号").words
    world.chen.clicks(case.card(), "查看手机号")
    world.chen.private.expect_text("13912345678", "已记入审计")
    assert not [said for said in world.group.texts() if "13912345678" in said]
    assert "陈晨 查看了投诉" in world.zhao.says(f"/审计 {case.number}").card().plain
    found = world.chen.whispers("/投诉 13912345678").card()
    assert f"{case.number} ·" in found.plain
    assert "13912345678" not in str(found.content)
