"""One number leads from an event to all that came of it: in the log and in the traces."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.telemetry.correlation import id_of
from sandbox.faults import CallFault
from tests.seeing.collector import Collector
from tests.story.waiting import eventually
from tests.story.world import World


def lines_of(world: World, correlation_id: str) -> list[dict[str, Any]]:
    """What `grep` finds."""
    return [
        json.loads(line) for line in world.log.text().splitlines() if correlation_id in line and line.startswith("{")
    ]


def correlation_id_where(world: World, event: str, **fields: Any) -> str:
    return str(world.log.expect(event, **fields)["trail"])


def test_the_whole_way_of_a_complaint_is_found_by_one_number(world: World) -> None:
    world.customer.complains()
    stored = world.log.expect("notify.stored", fresh=True)
    correlation_id = stored["trail"]
    assert correlation_id == id_of(stored["inbox"]), "whoever knows the event's id knows the number"

    def whole() -> list[dict[str, Any]]:
        found = lines_of(world, correlation_id)
        return found if [line for line in found if line.get("job") == "outbox.deliver"] else []

    found = eventually(whole, "its message was never told of")
    way = [(line["event"], line.get("job") or line.get("what") or line.get("method", "")) for line in found]
    assert way == [
        ("notify.stored", ""),
        ("job.done", "inbox.process"),
        ("channel.call", "GET"),
        ("channel.call", "GET"),
        ("job.done", "complaint.sync"),
        ("feishu.call", "card.send"),
        ("job.done", "outbox.deliver"),
    ]


def test_a_refund_is_followed_under_the_number_of_the_click_that_approved_it(world: World) -> None:
    case = world.claimed()
    world.asks_refund(case)
    world.fault("wechatpay", CallFault.DOWN, "/refunds", method="POST")
    world.fault("wechatpay", CallFault.SERVER_ERROR, "/refunds", method="GET", times=3)
    assert not world.wang.clicks(world.approval(case), "同意").refused
    begun = world.log.expect("effect.begun", action="refund.create", attempt=1)
    world.log.expect("refund.unknown")
    world.recovers()
    case.card().expect("已退款")
    correlation_id = begun["trail"]
    found = lines_of(world, correlation_id)
    assert found[0]["event"] == "click.stored", "it begins with the click"
    calls = [line for line in found if line["event"] == "channel.call" and "refunds" in line["path"]]
    assert "OutcomeUnknown" in [line["outcome"] for line in calls]
    assert [line for line in found if line.get("job") == "refund.check"], "its timer goes on under the same number"
    settled = [line for line in world.bot_log() if line["event"] == "effect.settled" and line["state"] == "done"]
    assert correlation_id in {line["first_trail"] for line in settled}
    assert [line["outcome"] for line in calls].count("done") >= 1
    assert case.refund_calls == [1]


def test_messages_that_are_sent_together_keep_their_own_numbers(world: World) -> None:
    world.fault("feishu", CallFault.DOWN, "/messages", times=-1)
    first, second = world.chen.whispers("/我"), world.chen.whispers("/帮助")
    for said in (first, second):
        world.log.expect("job.done", inbox=f"feishu:message:{said.message.message_id}")
    world.recovers()
    for said in (first, second):
        said.card()
        correlation_id = id_of(f"feishu:message:{said.message.message_id}")

        def sent(correlation_id: str = correlation_id) -> list[str]:
            lines = lines_of(world, correlation_id)
            return [line["what"] for line in lines if line["event"] == "feishu.call" and "failure" not in line]

        eventually(sent, f"{said.message.content} did not go out under {correlation_id}")
        # One that was tried before is drawn again after it: an earlier attempt might have arrived.
        assert sent()[0] == "card.reply"
        assert set(sent()) <= {"card.reply", "card.patch"}


@pytest.fixture
def spans(collector: Collector | None) -> Collector:
    if collector is None:
        pytest.skip("the extra mpops[otel] is not installed")
    return collector


def test_traces_tell_the_same_way_as_the_log(world: World, spans: Collector) -> None:
    world.customer.complains()
    correlation_id = correlation_id_where(world, "notify.stored", fresh=True)
    wanted = {"COMPLAINT.CREATE", "job inbox.process", "job complaint.sync", "job outbox.deliver", "feishu card.send"}

    def whole() -> list[Any]:
        found = spans.of_correlation_id(correlation_id)
        return found if wanted <= {span.name for span in found} else []

    found = eventually(
        whole, lambda: f"only {[span.name for span in spans.of_correlation_id(correlation_id)]} of {wanted}"
    )
    assert len({span.trace_id for span in found}) == 1, "one trace"
    by_name = {span.name: span for span in found}
    channel = [span for span in found if span.name.startswith("wechatpay GET ")]
    assert len(channel) == 2
    above = {
        "job inbox.process": "COMPLAINT.CREATE",
        "job complaint.sync": "job inbox.process",
        "job outbox.deliver": "job complaint.sync",
        "feishu card.send": "job outbox.deliver",
    }
    for name, parent in above.items():
        assert by_name[name].parent_span_id == by_name[parent].span_id, f"{name} hangs below {parent}"
    assert {span.parent_span_id for span in channel} == {by_name["job complaint.sync"].span_id}
    assert by_name["COMPLAINT.CREATE"].parent_span_id == b"", "the event is the root"
    for span in found:
        assert span.end_time_unix_nano >= span.start_time_unix_nano > 0
        assert {each.key: each.value.string_value for each in span.attributes}["mpops.trail"] == correlation_id
    assert spans.services == {"mpops"}


def test_a_failed_call_is_marked_in_its_trace_and_no_trace_names_anybody(world: World, spans: Collector) -> None:
    world.fault("feishu", CallFault.DOWN, "/messages", times=1)
    said = world.chen.says("/我")
    correlation_id = id_of(f"feishu:message:{said.message.message_id}")
    said.card()

    def outcomes() -> set[str]:
        found = spans.of_correlation_id(correlation_id)
        return {each.value.string_value for span in found for each in span.attributes if each.key == "mpops.outcome"}

    eventually(lambda: {"Unreachable", "done"} <= outcomes(), lambda: f"only {outcomes()}")
    failed = [span for span in spans.of_correlation_id(correlation_id) if span.status.code == 2]
    assert [span.status.message for span in failed] == ["Unreachable"]
    written = spans.everything()
    for personal in ("ou_", "oc_", "陈晨", "漏水"):
        assert personal not in written
