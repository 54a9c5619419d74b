"""`/状态` in chat: what is stuck, with buttons that mend it."""

from __future__ import annotations

from sandbox.faults import CallFault
from tests.story.waiting import eventually
from tests.story.world import World


def test_a_job_that_was_given_up_is_found_by_its_number_and_tried_again_from_the_card(world: World) -> None:
    world.fault("wechatpay", CallFault.BAD_SIGNATURE, "complaints-v2", times=-1)
    world.expects_errors("job.failed")
    case = world.customer.complains(wait=False)
    failed = world.log.expect("job.failed", job="complaint.sync")
    assert failed["incident"] == failed["trail"]
    said = world.zhao.says("/状态").card()
    card = said.expect("后台任务失败：complaint.sync", f"编号 {failed['trail']}")
    assert "有需要留意的地方" in card.plain
    told = world.chen.clicks(card, "重试")
    assert told.refused
    assert "处理卡住的项目" in told.words
    world.mended()
    before = card.revision
    toast = world.zhao.clicks(card, "重试")
    assert not toast.refused, toast
    world.zhao.clicks_as_it_was(card, "重试")  # at once, and perhaps before the first was carried out
    case.card()
    assert world.zhao.clicks_as_it_was(card, "重试").refused
    done = card.expect("刷新", without="后台任务失败：complaint.sync")
    assert done.revision > before
    world.quiet()
    assert [line["event"] for line in world.bot_log()].count("status.retried") == 1, "and counted once"
    world.zhao.whispers("/审计")
    eventually(
        lambda: [one for one in world.zhao.private.cards("审计") if "让卡住的项目重试：job" in one.plain],
        "the audit says nothing of it",
    )


def test_a_message_that_was_given_up_is_sent_when_the_bot_is_back_in_the_group(world: World) -> None:
    said = world.chen.says("/帮助")
    said.card()
    world.feishu.remove_bot(world.group.chat_id)
    case = world.customer.complains(wait=False)
    line = eventually(
        lambda: [one for one in world.bot_log() if one["event"] == "outbox.failed"], "the message was never given up"
    )
    world.expects_errors(str(line[0]["event"]))
    card = world.zhao.whispers("/状态").card().expect("发往「支付投诉群」的一条消息发送失败", "BotNotInChat")
    world.feishu.add_bot(world.group.chat_id)
    assert not world.zhao.clicks(card, "重试").refused
    case.card()
    card.expect("刷新", without="发送失败")


def test_a_platform_that_does_not_answer_is_named_until_it_does(world: World) -> None:
    world.quiet()
    world.fault("wechatpay", CallFault.DOWN, "complaints-v2", times=-1)
    case = world.customer.complains(wait=False)
    asked = world.zhao.whispers("/状态").card()

    def shown() -> str:
        world.zhao.clicks(asked.latest(), "刷新")
        world.quiet()
        return asked.latest().plain

    eventually(lambda: "账号 pay-main 调用失败" in shown(), lambda: f"it is not named: {asked.latest().plain}")
    world.mended()
    case.card()  # tried again by itself, it is read in the end
    eventually(lambda: "账号 pay-main" not in shown(), "a trouble that is over stands there still")
