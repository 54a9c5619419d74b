"""Clicks with a value that was changed, moved, kept from before or made up: refused, and nothing happens."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from sandbox.feishu import card_client
from storage.areas.complaints import Complaint
from storage.areas.refunds import Refunds
from storage.core.audit import entries
from storage.database import Database
from tests.security.attacked import Attacked, fuzzed
from tests.security.shapes import WHOLE
from tests.story.actors import Case, Person
from tests.story.cards import Card

FIELDS = "asvxbt"


class Books:
    """What mpops holds to be true, as far as a click could change it."""

    def __init__(self, bot: Attacked) -> None:
        environment = bot.world.demo.environment()
        self._bot = bot
        self._database = Database(environment["MPOPS_DATABASE_URL"], pool_size=1)
        self._database.unlock([environment["MPOPS_SECRET_KEY"]])

    def close(self) -> None:
        self._database.close()

    def of(self, case: Case) -> tuple[Any, ...]:
        """Once all that came in is worked off: state and handler, refunds, votes, and what was written down."""
        self._bot.world.quiet(60)
        with self._database.read() as session:
            complaint = session.scalars(select(Complaint).where(Complaint.external_id == case.ticket.id)).one()
            story = f"complaint:{complaint.id}"
            return (
                complaint.progress,
                complaint.claimed_by,
                [(refund.progress, refund.attempts) for refund in Refunds(session).of_complaint(complaint.id)],
                [entry.event for entry in entries(session, story, 1000)],
                case.replies,
                case.refunded_fen,
            )


class Stage:
    """A complaint that chen handles, with a refund that waits for wang; and every button of its cards."""

    def __init__(self, bot: Attacked) -> None:
        self.world = bot.world
        self.case: Case = self.world.claimed()
        self.asked = self.world.asks_refund(self.case)
        self.ask_in_private = self.world.approval(self.case, self.world.wang.private)
        self.world.quiet()
        self.buttons: list[tuple[Card, dict[str, Any], Person]] = [
            (card, button, person)
            for card, person in (
                (self.case.card(), self.world.chen),
                (self.asked.latest(), self.world.wang),
                (self.ask_in_private.latest(), self.world.wang),
            )
            for button in values(card)
        ]


def values(card: Card) -> list[dict[str, Any]]:
    """The callback values of all buttons of a card, as its client holds them."""
    found = [one.callback() for one in card_client.interactives(card.content) if one.tag == "button"]
    return [dict(value) for value in found if isinstance(value, Mapping)]


@pytest.fixture(scope="module")
def stage(bot: Attacked) -> Stage:
    return Stage(bot)


@pytest.fixture(scope="module")
def books(bot: Attacked) -> Iterator[Books]:
    books = Books(bot)
    yield books
    books.close()


@pytest.fixture(scope="module", autouse=True)
def nothing_happened(stage: Stage, books: Books) -> Iterator[None]:
    """The books of the stage's complaint are the same before the first test of this module and after the last one."""
    before = books.of(stage.case)
    yield
    assert books.of(stage.case) == before


def click(person: Person, card: Card, value: object, *, chat_id: str = "") -> str:
    """The kind of toast that such a click is answered with; "" for none."""
    feishu = person.world.feishu
    event = {
        "operator": {"tenant_key": "tk_sandbox", **feishu.store.user(person.open_id).ids(feishu.app)},
        "token": "c-attack",
        "action": {"tag": "button", "value": value, "form_value": {"reason": "因为", "reply": "您好", "amount": "1"}},
        "host": "im_message",
        "context": {"open_message_id": card.message_id, "open_chat_id": chat_id or card.message.chat_id},
    }
    answer = feishu.events.callback(feishu.app, event)
    assert answer.code == 0, answer
    return str(json.loads(answer.body).get("toast", {}).get("type", ""))


REFUSED = ("error", "warning", "")


@fuzzed(20)
@given(st.data())
def test_a_value_with_anything_changed_never_acts(stage: Stage, data: st.DataObject) -> None:
    card, value, person = data.draw(st.sampled_from(stage.buttons), "button")
    forged: Any = copy.deepcopy(value)
    change = data.draw(st.sampled_from(["drop", "replace", "swap", "add", "other"]), "change")
    name = data.draw(st.sampled_from(FIELDS), "field")
    if change == "drop":
        del forged[name]
    elif change == "replace":
        forged[name] = data.draw(WHOLE, "by")
    elif change == "swap":
        forged[name] = data.draw(st.sampled_from([other[name] for _, other, _ in stage.buttons]), "by")
    elif change == "add":
        forged["more"] = data.draw(WHOLE, "by")
    else:
        forged = data.draw(WHOLE, "by")
    if forged in [other for _, other, _ in stage.buttons]:
        return  # that is a button that stands there
    assert click(person, card, forged) in REFUSED


def test_a_value_is_worth_nothing_in_another_chat_or_for_another_person(stage: Stage) -> None:
    world = stage.world
    elsewhere = world.feishu.add_chat("别的群", [world.chen.open_id, world.wang.open_id, world.li.open_id])
    for card, value, person in stage.buttons:
        if card.message.chat_id == world.group.chat_id:
            assert click(person, card, value, chat_id=elsewhere.chat_id) in REFUSED, value
        else:
            for other in (world.chen, world.li, world.sun):
                assert click(other, card, value) in REFUSED, value


def test_strangers_and_colleagues_without_the_right_may_press_and_nothing_happens(stage: Stage) -> None:
    world = stage.world
    for card, value, _ in stage.buttons:
        assert click(world.sun, card, value) in REFUSED, value
        if str(value["a"]).startswith("approval."):
            assert click(world.li, card, value) in REFUSED, value
        if value["a"] == "approval.approve":
            assert click(world.chen, card, value) in REFUSED, "nobody approves what they asked for"


def test_people_who_are_not_there(stage: Stage, bot: Attacked) -> None:
    card, value, _ = stage.buttons[0]
    for operator in ({}, {"open_id": ""}, {"open_id": None}, {"open_id": "ou_' OR 1=1"}, {"open_id": ["ou_x"]}, "ou_x"):
        event = {
            "operator": operator, "action": {"tag": "button", "value": value},
            "context": {"open_message_id": card.message_id, "open_chat_id": card.message.chat_id},
        }  # fmt: skip
        answer = bot.event("card.action.trigger", event)
        assert answer.status in (200, 401)
        assert b'"success"' not in answer.body


def test_a_button_from_before_something_changed(bot: Attacked, books: Books) -> None:
    """Signed by us, for this chat, and old: what it was drawn for has changed since."""
    world = bot.world
    case = world.answered()
    old = case.card().expect_button("完结投诉")
    world.customer.writes(case, "还有一个问题")
    case.card().expect("还有一个问题")
    before = books.of(case)
    for value in values(old):
        if value["a"] == "complaint.finish":
            assert click(world.chen, old, value) in REFUSED
    world.asks_refund(case)
    approval = world.approval(case, world.wang.private)
    world.chen.clicks(world.approval(case), "撤回申请")
    world.quiet()
    after = books.of(case)
    assert after[1] == before[1]
    for value in values(approval):
        assert click(world.wang, approval, value) in REFUSED, value
    assert books.of(case) == after
    assert case.refunded_fen == 0
