"""What comes in from outside: proven, or refused with a line in the log; told twice, done once."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from sandbox.faults import PushFault
from sandbox.feishu.snapshot import readable
from tests.story.pushes import Pusher
from tests.story.waiting import eventually
from tests.story.world import World

HOUR = timedelta(hours=1)
UNPROVEN = ({"wrong": True}, {"age": HOUR}, {"age": -HOUR})
WAYS = ("signature", "old", "ahead", "sealed")
ME = "陈晨 的角色和权限"


@pytest.fixture
def push(world: World) -> Pusher:
    return Pusher(world)


def answers(world: World, message_id: str) -> list[str]:
    world.quiet()
    mine = [each for each in world.chen.private.messages() if each.parent_id == message_id]
    return [world.chen.private.card(each).title if each.is_card else readable(each) for each in mine]


@pytest.mark.parametrize("wrong", [*UNPROVEN, {"key": "another-key"}], ids=WAYS)
def test_a_feishu_event_that_proves_nothing(world: World, push: Pusher, wrong: dict[str, object]) -> None:
    message, event = push.message(world.chen, "/我")
    [answer] = push.feishu("im.message.receive_v1", event, **wrong)  # type: ignore[arg-type]  # parametrised
    assert answer.status_code == 401
    world.log.expect("feishu.refused")
    assert answers(world, message.message_id) == []


def test_a_feishu_body_that_is_nothing(world: World, push: Pusher) -> None:
    for body in (b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"encrypt": 1}', b'{"encrypt": "AAAA"}', b"[" * 5000):
        assert push.post("/feishu/events", {"Content-Type": "application/json"}, body).status_code == 401
    assert push.post("/feishu/events", {}, b"x" * 2 * 1024 * 1024).status_code == 413
    assert httpx.get(f"{world.demo.bot_url}/feishu/events", trust_env=False).status_code == 405


@pytest.mark.both_databases
def test_a_replayed_feishu_event(world: World, push: Pusher) -> None:
    message, event = push.message(world.chen, "/我")
    found = push.feishu("im.message.receive_v1", event, times=3)
    assert [answer.status_code for answer in found] == [200, 200, 200]
    push.feishu("im.message.receive_v1", event)  # the same message under another event id
    assert answers(world, message.message_id) == [ME]


def test_an_event_that_feishu_pushes_wrongly_signed_first(world: World) -> None:
    world.fault("feishu", PushFault.TAMPER, "im.message")
    said = world.chen.whispers("/我")
    world.log.expect("feishu.refused")
    assert said.ignored()
    world.advance(seconds=16)  # the platform's ladder
    assert said.card().title == ME


def test_an_unknown_event(world: World, push: Pusher) -> None:
    for event in ("im.message.levitated_v9", "x" * 150, "卡片.事件"):
        [answer] = push.feishu(event, {"what": ["ever"]})
        assert answer.status_code == 200, event
    world.quiet()
    assert world.chen.whispers("/我").card().title == ME


def test_keys_nobody_knows_and_keys_that_are_missing(world: World, push: Pusher) -> None:
    message, event = push.message(world.chen, "/我", mood={"deep": [1, None]}, mentions=[{"key": "@_user_9"}])
    event["sender"]["aura"] = "green"
    push.feishu("im.message.receive_v1", event, extra={"weather": "fine"})
    assert answers(world, message.message_id) == [ME]
    message, event = push.message(world.chen, "/我")
    for name in ("update_time", "mentions", "root_id"):
        event["message"].pop(name, None)
    del event["sender"]["tenant_key"]
    event["sender"]["sender_id"].pop("union_id")
    event["sender"]["sender_id"].pop("user_id", None)
    push.feishu("im.message.receive_v1", event)
    assert answers(world, message.message_id) == [ME]


def test_values_nobody_documented(world: World, push: Pusher) -> None:
    message, event = push.message(world.chen, "/我", message_type="hologram", content='{"beam": 1}')
    push.feishu("im.message.receive_v1", event)
    assert [said for said in answers(world, message.message_id) if "只能读文字" in said]
    message, event = push.message(world.chen, "/我")
    event["sender"]["sender_type"] = "poltergeist"
    [answer] = push.feishu("im.message.receive_v1", event)
    assert answer.status_code == 200
    assert answers(world, message.message_id) == []
    oddities: tuple[dict[str, object], ...] = (
        {},
        {"message": None},
        {"message": {}},
        {"message": {"content": 5}},
        {"sender": []},
    )
    for broken in oddities:
        assert push.feishu("im.message.receive_v1", broken)[0].status_code in (200, 401)
    assert world.chen.whispers("/我").card().title == ME


@pytest.mark.parametrize("wrong", [*UNPROVEN, {"key": "0" * 32}], ids=WAYS)
def test_a_notification_that_proves_nothing(world: World, push: Pusher, wrong: dict[str, object]) -> None:
    content = {"complaint_id": "200201820261122000000000099", "action_type": "CREATE_COMPLAINT"}
    [answer] = push.wechatpay("COMPLAINT.CREATE", content, **wrong)  # type: ignore[arg-type]  # parametrised
    assert answer.status_code == 401
    assert answer.json()["code"] == "FAIL"
    world.log.expect("notify.refused")


def test_a_notification_that_is_nothing(world: World, push: Pusher) -> None:
    for body in (b"", b"null", b"{", b"\xff"):
        assert push.post("/notify/pay-main", {"Content-Type": "application/json"}, body).status_code == 401
    assert push.post("/notify/pay-main", {}, b"x" * 2 * 1024 * 1024).status_code == 413
    assert push.post("/notify/nobody", {}, b"{}").status_code == 404
    [answer] = push.wechatpay("COMPLAINT.CREATE", b"not json")
    assert answer.status_code == 401
    [answer] = push.wechatpay("COMPLAINT.CREATE", {"action_type": "CREATE_COMPLAINT"})
    assert answer.status_code == 401, "a complaint without its number"


def test_a_notification_nobody_documented(world: World, push: Pusher) -> None:
    [answer] = push.wechatpay("COUPON.USE", {"stock_id": "1"}, extra={"weather": "fine"})
    assert answer.status_code == 200
    world.log.expect("notify.unhandled", account="pay-main")
    case = world.customer.complains()
    content = {"complaint_id": case.ticket.id, "action_type": "CUSTOMER_SINGS", "song": 3}
    [answer] = push.wechatpay("COMPLAINT.SUNG", content, without=("summary", "create_time", "resource_type"))
    assert answer.status_code == 200
    [answer] = push.wechatpay("COMPLAINT.STATE_CHANGE", {"complaint_id": case.ticket.id})
    assert answer.status_code == 200
    world.quiet()
    assert len(world.group.cards("投诉 C", case.order)) == 1


def test_a_notification_about_a_complaint_that_is_not_there(world: World, push: Pusher) -> None:
    [answer] = push.wechatpay("COMPLAINT.CREATE", {"complaint_id": "4711", "action_type": "CREATE_COMPLAINT"})
    assert answer.status_code == 200
    world.log.expect("complaint.not_found")


@pytest.mark.both_databases
def test_a_replayed_notification(world: World, push: Pusher) -> None:
    case = world.answered()
    content = {"complaint_id": case.ticket.id, "action_type": "CREATE_COMPLAINT"}
    assert [each.status_code for each in push.wechatpay("COMPLAINT.CREATE", content, times=3)] == [200] * 3
    push.wechatpay("COMPLAINT.CREATE", content)
    world.quiet()
    assert len(world.group.cards("投诉 C", case.order)) == 1
    assert case.card().tags == ["已回复"]


def test_a_refund_that_is_not_ours(world: World, push: Pusher) -> None:
    [answer] = push.wechatpay("REFUND.SUCCESS", {"out_refund_no": "somebody-else", "refund_status": "SUCCESS"})
    assert answer.status_code == 200
    world.log.expect("refund.not_ours")


@pytest.mark.parametrize("fault", [PushFault.REPEAT, PushFault.REORDER, PushFault.DELAY, PushFault.TAMPER])
def test_a_complaint_whose_push_comes_oddly(world: World, fault: PushFault) -> None:
    world.fault("wechatpay", fault, "COMPLAINT.CREATE", seconds=30)
    case = world.customer.complains("怪异的推送", wait=False)
    if fault is PushFault.REORDER:
        world.customer.writes(case, "第二句先到")
    if fault is PushFault.TAMPER:
        world.log.expect("notify.refused")
    if fault in (PushFault.DELAY, PushFault.TAMPER):
        world.advance(seconds=65)
    case.card()
    world.quiet()
    assert len(world.group.cards("投诉 C", case.order)) == 1


def test_a_lost_push_is_found_by_looking(world: World) -> None:
    world.fault("wechatpay", PushFault.LOSE, "COMPLAINT")
    case = world.customer.complains("没有推送", wait=False)
    world.advance(minutes=5, seconds=5)
    assert case.card().tags == ["待认领"]
    world.fault("wechatpay", PushFault.LOSE, "COMPLAINT")
    world.customer.writes(case, "还有人吗？")  # changes nothing in the platform's list
    world.advance(hours=1, minutes=6)
    case.card().expect("还有人吗？")
    assert len(world.group.cards("投诉 C", case.order)) == 1


@pytest.mark.both_databases
def test_pushes_out_of_order_do_not_turn_the_story_back(world: World, push: Pusher) -> None:
    case = world.claimed()
    world.asks_refund(case)
    world.refunded(case)
    case.card().expect("已完结")
    [line] = [line for line in world.books().refunds if line.transaction_id == case.ticket.payment.transaction_id]  # type: ignore[union-attr]  # it has one
    old = {
        "out_refund_no": line.out_refund_no, "refund_id": line.refund_id, "refund_status": "PROCESSING",
        "transaction_id": line.transaction_id, "amount": {"total": 6800, "refund": 6800, "payer_refund": 6800},
    }  # fmt: skip
    for status in ("PROCESSING", "CLOSED", "ABNORMAL", "LEVITATING"):
        push.wechatpay(f"REFUND.{status}", {**old, "refund_status": status})
    world.quiet()
    assert "已退款" in case.card().plain
    eventually(lambda: "已完结" in case.card().tags, "it was reopened")
