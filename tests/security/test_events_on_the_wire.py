"""`/feishu/events` from outside: junk, junk under the right signature, junk in the right envelope."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.feishu.events import EVENT_TYPES
from sandbox.company import GROUP
from tests.security.attacked import EVENTS, Attacked, fuzzed
from tests.security.shapes import DEEP, VALUES, WORDS, bodies, objects
from tests.security.wire import as_json, deep

OUTER = ("encrypt", "challenge", "type", "token", "schema", "header", "event", "uuid", "ts")
MESSAGE = ("message_id", "chat_id", "chat_type", "message_type", "content", "mentions", "create_time", "parent_id")
ROUND = {True: "group", False: "p2p"}
# A click is answered with 200 whatever is in it; there is nobody else to tell.
ACCEPTED = (200, 401)


@fuzzed(25)
@given(bodies(*OUTER))
def test_junk(bot: Attacked, body: bytes) -> None:
    assert bot.strike(EVENTS, body, {"Content-Type": "application/json"}).status == 401


@fuzzed(20)
@given(bodies("encrypt") | st.builds(lambda text: as_json({"encrypt": text}), st.text("AB+/=", max_size=200)))
def test_junk_under_the_right_signature(bot: Attacked, body: bytes) -> None:
    assert bot.feishu(b"", body=body).status == 401


@fuzzed(25)
@given(bodies(*OUTER))
def test_junk_in_the_right_envelope(bot: Attacked, payload: bytes) -> None:
    assert bot.feishu(payload).status in ACCEPTED


@fuzzed(25)
@given(
    st.sampled_from([*EVENT_TYPES, "card.action.trigger", "unknown.event_v9"]) | WORDS,
    objects("message", "sender", "operator", "operator_id", "action", "context", "object", "chat_id", "event_key"),
    st.sampled_from(["1.0", "2.0", "3.0", ""]) | VALUES,
)
def test_events_of_any_type_and_shape(bot: Attacked, event_type: str, event: dict[str, Any], schema: Any) -> None:
    assert bot.event(event_type, event, schema=schema).status in ACCEPTED


@fuzzed(25)
@given(st.booleans(), objects(*MESSAGE), WORDS | DEEP.map(bytes.decode))
def test_messages_of_any_shape(bot: Attacked, is_group: bool, changes: dict[str, Any], content: str) -> None:
    message = {
        "message_id": "om_attack", "chat_id": GROUP, "chat_type": ROUND[is_group], "message_type": "text",
        "content": json.dumps({"text": content}), **changes,
    }  # fmt: skip
    sender = {"sender_id": {"open_id": bot.world.sun.open_id}, "sender_type": "user"}
    assert bot.event("im.message.receive_v1", {"message": message, "sender": sender}).status in ACCEPTED


def test_nesting_without_end(bot: Attacked) -> None:
    for levels in (10_000, 100_000, 300_000):
        for payload in (deep("[", "]", levels), deep('{"a":', "", levels // 5)):
            assert bot.strike(EVENTS, payload).status == 401
            assert bot.feishu(b"", body=payload).status == 401
            assert bot.feishu(payload).status == 401


def test_nesting_that_can_be_read_but_hardly_written_again(bot: Attacked) -> None:
    for levels in (*range(40, 70), *range(900, 1000, 7)):
        event = b'{"schema":"2.0","header":{"event_id":"deep%d","event_type":"some.event","token":%s},"event":{"a":%s}}'
        token = json.dumps(bot.world.feishu.app.verification_token).encode()
        answer = bot.feishu(event % (levels, token, deep("[", "]", levels)))
        assert answer.status == (200 if levels < 59 else 401), levels
