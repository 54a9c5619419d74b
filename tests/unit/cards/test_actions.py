from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards import ActionSigner, ForgedAction
from bot.cards.values import Action

KEY, OLD, OTHER = b"k" * 32, b"o" * 32, b"x" * 32
SIGNER = ActionSigner(KEY)
ACTION = Action("complaint.claim", "C-1", 3, {"page": "2"})


def opened(value: object, signer: ActionSigner = SIGNER, chat_id: str = "oc_1", open_id: str = "ou_1") -> Action:
    return signer.open(value, chat_id=chat_id, open_id=open_id)


@pytest.mark.parametrize("bound_to", ["chat:oc_1", "person:ou_1"])
def test_what_was_signed_opens_after_a_journey_through_json(bound_to: str) -> None:
    value = json.loads(json.dumps(SIGNER.sign(ACTION, bound_to)))
    assert set(value) == set("asvxbt")
    assert opened(value) == ACTION


@given(st.text(), st.text(), st.integers(-(2**53), 2**53), st.dictionaries(st.text(), st.text(), max_size=3))
def test_any_action_survives(name: str, subject: str, version: int, extra: dict[str, str]) -> None:
    action = Action(name, subject, version, extra)
    assert opened(json.loads(json.dumps(SIGNER.sign(action, "chat:oc_1")))) == action


@pytest.mark.parametrize(
    ("bound_to", "chat_id", "open_id"),
    [
        ("chat:oc_1", "oc_2", "ou_1"),
        ("person:ou_1", "oc_1", "ou_2"),
        ("chat:oc_1", "", ""),
        ("person:x", "x", "ou_1"),
        ("chat:x", "oc_1", "x"),
    ],
)
def test_a_card_forwarded_to_another_chat_or_person_is_dead(bound_to: str, chat_id: str, open_id: str) -> None:
    with pytest.raises(ForgedAction):
        opened(SIGNER.sign(ACTION, bound_to), chat_id=chat_id, open_id=open_id)


@pytest.mark.parametrize(
    "change",
    [
        {"a": "refund.create"},
        {"s": "C-2"},
        {"v": 4},
        {"v": True},
        {"v": 3.0},
        {"v": "3"},
        {"x": {"page": "3"}},
        {"x": {"page": 2}},
        {"x": None},
        {"x": []},
        {"b": "chat:oc_9"},
        {"b": None},
        {"t": ""},
        {"t": "é"},
        {"t": None},
        {"t": "A" * 22},
        {"more": 1},
    ],
)
def test_a_changed_value_is_refused(change: dict[str, object]) -> None:
    value = {**SIGNER.sign(ACTION, "chat:oc_1"), **change}
    with pytest.raises(ForgedAction):
        opened(value, chat_id="oc_9" if change.get("b") else "oc_1")


@pytest.mark.parametrize("value", [None, "x", 1, [], {}, {"a": "x"}, ["a", "s", "v", "x", "b", "t"]])
def test_what_is_no_value_at_all_is_refused(value: object) -> None:
    with pytest.raises(ForgedAction):
        opened(value)


def test_a_missing_part_is_refused() -> None:
    for field in "asvxbt":
        value = dict(SIGNER.sign(ACTION, "chat:oc_1"))
        del value[field]
        with pytest.raises(ForgedAction):
            opened(value)


def test_parts_cannot_slide_into_each_other() -> None:
    one = SIGNER.sign(Action("ab", "c"), "chat:oc_1")
    other = SIGNER.sign(Action("a", "bc"), "chat:oc_1")
    assert one["t"] != other["t"]


def test_cards_survive_a_change_of_the_key_until_the_old_one_is_dropped() -> None:
    value = ActionSigner(OLD).sign(ACTION, "chat:oc_1")
    assert opened(value, ActionSigner(KEY, OLD)) == ACTION
    assert ActionSigner(KEY, OLD).sign(ACTION, "chat:oc_1") == SIGNER.sign(ACTION, "chat:oc_1")
    for signer in (ActionSigner(KEY), ActionSigner(OTHER, KEY)):
        with pytest.raises(ForgedAction):
            opened(value, signer)


def test_weak_keys_and_aimless_actions_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        ActionSigner(KEY, b"short")
    for bound_to in ("", "chat:", "person:", "oc_1"):
        with pytest.raises(ValueError, match="bound to"):
            SIGNER.sign(ACTION, bound_to)
