"""What nobody handles is settled as it is stored; whatever somebody may handle is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.area import Area, Areas
from bot.contributions.events import OnEvent
from bot.feishu.envelope import Envelope
from bot.feishu.values import CardClicked, MessageReceived, Other, UserLeft
from bot.incoming.router import Router
from bot.incoming.unhandled import is_unhandled, is_unhandled_on_arrival, is_urgent, read_event
from bot.texts import text
from tests.unit.bot.test_router import COMPLAINTS

AT = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
OURS = "ou_bot"
ROUTER = Router((COMPLAINTS,), ())
LISTENING = Areas(Area("people", text("help.title"), (OnEvent(UserLeft, lambda unit, event: None),)))


def message(
    words: str, *, chat: str = "group", sender: str = "user", mentions: Mapping[str, str] | None = None
) -> Envelope:
    named = [{"key": key, "id": {"open_id": open_id}, "name": key} for key, open_id in (mentions or {}).items()]
    event: dict[str, Any] = {
        "sender": {"sender_id": {"open_id": "ou_a"}, "sender_type": sender},
        "message": {
            "message_id": "om_1", "chat_id": "oc_1", "chat_type": chat, "message_type": "text",
            "content": json.dumps({"text": words}), "mentions": named,
        },
    }  # fmt: skip
    return Envelope("e1", "im.message.receive_v1", "2.0", AT, event)


def left() -> Envelope:
    return Envelope("e2", "contact.user.deleted_v3", "2.0", AT, {"object": {"open_id": "ou_a"}})


@pytest.mark.parametrize(
    ("envelope", "on_arrival_unknown", "on_arrival", "worked_off"),
    [
        (message("吃了吗"), True, True, True),
        (message("/roll 2d6"), True, True, True),
        (message("/投诉"), False, False, False),
        (message("／投诉"), False, False, False),
        (message('/投诉 "'), False, False, False),  # cannot be read, which is told
        (message("投诉"), True, True, True),
        (message("投诉", chat="p2p"), False, False, False),
        (message("吃了吗", chat="p2p"), False, False, False),
        (message("/投诉", sender="app"), True, True, True),
        (message("@_user_1 看", mentions={"@_user_1": "ou_b"}), False, True, True),
        (message("@_user_1 看", mentions={"@_user_1": OURS}), False, False, False),
        (message("/投诉 @_user_1", mentions={"@_user_1": "ou_b"}), False, False, False),
        (message("@_user_1 /投诉", mentions={"@_user_1": "ou_b"}), False, True, True),
        (Envelope("e3", "im.message.receive_v1", "2.0", AT, {}), True, True, True),  # broken
        (Envelope("e4", "im.chat.updated_v1", "2.0", AT, {}), True, True, True),
        (left(), False, False, False),
    ],
)
def test_the_door_settles_what_the_job_would_and_nothing_whose_answer_it_cannot_know(
    envelope: Envelope, *, on_arrival_unknown: bool, on_arrival: bool, worked_off: bool
) -> None:
    known, unknown = read_event(envelope, OURS, "x"), read_event(envelope, "", "x")
    assert is_unhandled(known, ROUTER, LISTENING) is worked_off
    assert is_unhandled_on_arrival(known, OURS, ROUTER, LISTENING) is on_arrival
    assert is_unhandled_on_arrival(unknown, "", ROUTER, LISTENING) is on_arrival_unknown


def test_an_event_that_no_area_listens_to_is_unhandled() -> None:
    assert is_unhandled(read_event(left(), OURS, "x"), ROUTER, Areas())


def test_people_wait_for_what_they_type_and_press_and_for_nothing_else() -> None:
    assert is_urgent(read_event(message("/投诉"), OURS, "x"))
    click = {"operator": {"open_id": "ou_a"}, "action": {"value": {}}, "context": {}}
    value = read_event(Envelope("e5", "card.action.trigger", "2.0", AT, click), OURS, "x")
    assert isinstance(value, CardClicked)
    assert is_urgent(value)
    assert not is_unhandled(value, ROUTER, Areas())
    assert not is_urgent(read_event(left(), OURS, "x"))


def test_a_broken_event_is_one_that_nobody_handles() -> None:
    value = read_event(Envelope("e3", "im.message.receive_v1", "2.0", AT, {}), OURS, "x")
    assert isinstance(value, Other)
    assert not isinstance(value, MessageReceived)
