"""One table of words: aliases, guesses, permissions, and arguments with types."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from bot.contributions.permissions import Permission
from bot.contributions.routing import Asked, Click, Clicked, Command, NoArguments
from bot.errors import Refused
from bot.incoming.router import Router, UnknownCommand, arguments
from bot.permissions import Actor, stranger
from bot.texts import text
from bot.unit import Unit


class GrantArguments(BaseModel):
    person: str = Field(title="谁")
    role: str = Field(title="角色", max_length=10)
    times: int = Field(default=1, title="次数", ge=1)


class NoteArguments(BaseModel):
    number: str = Field(title="编号")
    words: str = Field(default="", title="内容", json_schema_extra={"rest": True})


def run(unit: Unit, asked: Asked, given: Any) -> None:
    raise AssertionError("not run here")


def act(unit: Unit, clicked: Clicked) -> None:
    raise AssertionError("not run here")


def command(*names: str, needs: Permission | None = None, takes: type[BaseModel] = NoArguments) -> Command:
    return Command(names, needs, takes, run, text("help.help"), text("words", words=f"/{names[0]} 例子"))


VIEW, MANAGE = Permission("complaint.view"), Permission("people.manage")
COMPLAINTS = command("投诉", "complaints", "ts", needs=VIEW)
GRANT = command("授权", "grant", needs=MANAGE, takes=GrantArguments)
REVOKE = command("撤权", "revoke", needs=MANAGE)
NOTE = command("备注", "note", takes=NoteArguments)
HELP = command("帮助", "help", "?")
ROUTER = Router((COMPLAINTS, GRANT, REVOKE, NOTE, HELP), (Click("complaint.claim", None, act),))


def somebody(*permissions: Permission, active: bool = True) -> Actor:
    return Actor("ou_a", "A", 1, active, {"mall": frozenset(permissions)}, (("operator", "mall"),))


VIEWER = somebody(VIEW)
ADMIN = somebody(VIEW, MANAGE)


@pytest.mark.parametrize("word", ["投诉", "complaints", "ts"])
def test_each_alias_leads_to_the_command(word: str) -> None:
    assert ROUTER.find(word, VIEWER) is COMPLAINTS
    assert ROUTER.knows(word)


@pytest.mark.parametrize(
    ("word", "guess"),
    [("头诉", "投诉"), ("投拆", "投诉"), ("complaint", "complaints"), ("complians", "complaints"), ("hlep", "help"),
     ("投诉列表", "投诉"), ("帮", None)],
)  # fmt: skip
def test_did_you_mean(word: str, guess: str | None) -> None:
    with pytest.raises(UnknownCommand) as raised:
        ROUTER.find(word, VIEWER)
    assert (guess in raised.value.guesses) if guess else True
    assert not ROUTER.knows(word)


def test_nobody_is_offered_what_they_may_not_do() -> None:
    for near in ("撤销", "授全", "grants", "revok"):
        with pytest.raises(UnknownCommand) as raised:
            ROUTER.find(near, VIEWER)
        assert not {"授权", "撤权", "grant", "revoke"} & set(raised.value.guesses)
        with pytest.raises(UnknownCommand) as raised:
            ROUTER.find(near, ADMIN)
        assert {"授权", "撤权", "grant", "revoke"} & set(raised.value.guesses), near


def test_a_word_like_nothing_is_simply_unknown_and_long_ones_are_cut() -> None:
    with pytest.raises(UnknownCommand) as raised:
        ROUTER.find("x" * 500, ADMIN)
    assert raised.value.guesses == ()
    assert raised.value.reason == text("command.unknown", word="x" * 40)


@given(st.text(max_size=50))
def test_any_word_finds_a_command_or_guesses_what_is_permitted(word: str) -> None:
    guesses: tuple[str, ...] = ()
    try:
        guesses = (ROUTER.find(word, VIEWER).names[0],)
    except UnknownCommand as unknown:
        guesses = unknown.guesses
    except Refused:
        return  # known, and not for this person
    assert len(guesses) <= 3
    for guess in guesses:
        assert VIEWER.may(ROUTER.find(guess, VIEWER).permission)


def test_what_is_not_allowed_is_said_by_name_and_a_stranger_is_told_whom_to_ask() -> None:
    with pytest.raises(Refused) as raised:
        ROUTER.find("授权", VIEWER)
    assert raised.value.reason == text("command.not_allowed", permission=text("permission.people.manage"))
    for nobody in (stranger("ou_x"), Actor("ou_x", "X", 3, True, {})):
        with pytest.raises(Refused) as raised:
            ROUTER.find("投诉", nobody)
        assert raised.value.reason.key == "command.stranger"
    with pytest.raises(Refused):
        ROUTER.find("投诉", somebody(VIEW, active=False))
    assert ROUTER.find("帮助", stranger("ou_x")) is HELP


def test_a_name_is_of_one_command_and_of_one_click() -> None:
    with pytest.raises(ValueError, match="投诉"):
        Router((COMPLAINTS, command("列表", "投诉")), ())
    with pytest.raises(ValueError, match="HELP"):
        Router((HELP, command("HELP")), ())
    with pytest.raises(ValueError, match="two clicks"):
        Router((), (Click("a", None, act), Click("a", None, act)))
    assert ROUTER.click("complaint.claim") is not None
    assert ROUTER.click("complaint.burn") is None


# --- arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        ("王芳", "approver", "2"),
        ("person=王芳", "role=approver", "times=2"),
        ("谁=王芳", "角色=approver", "次数=2"),
        ("role=approver", "王芳", "2"),
        ("ROLE=approver", "TIMES=2", "王芳"),
    ],
)
def test_arguments_come_in_order_or_by_name(given: tuple[str, ...]) -> None:
    assert arguments(GRANT, given) == GrantArguments(person="王芳", role="approver", times=2)


def test_what_may_be_left_out_has_its_usual_value() -> None:
    assert arguments(GRANT, ("王芳", "viewer")) == GrantArguments(person="王芳", role="viewer", times=1)


def test_an_equals_sign_that_names_no_argument_is_part_of_the_words() -> None:
    assert arguments(NOTE, ("C1", "a=b")) == NoteArguments(number="C1", words="a=b")


def test_the_last_argument_may_take_the_rest() -> None:
    assert arguments(NOTE, ("C1", "杯子", "漏水 了", "!")) == NoteArguments(number="C1", words="杯子 漏水 了 !")


@pytest.mark.parametrize(
    ("given", "key", "said"),
    [
        ((), "command.missing", {"missing": "谁 角色"}),
        (("王芳",), "command.missing", {"missing": "角色"}),
        (("王芳", "viewer", "2", "mall", "app"), "command.too_many", {"extra": "mall app"}),
        (("王芳", "viewer", "two"), "command.wrong", {"argument": "次数", "given": "two"}),
        (("王芳", "viewer", "0"), "command.wrong", {"argument": "次数", "given": "0"}),
        (("王芳", "x" * 100), "command.wrong", {"argument": "角色", "given": "x" * 60}),
    ],
)
def test_wrong_arguments_are_told_with_an_example(given: tuple[str, ...], key: str, said: dict[str, str]) -> None:
    with pytest.raises(Refused) as raised:
        arguments(GRANT, given)
    assert raised.value.reason == text(key, usage=text("words", words="/授权 例子"), **said)


@given(st.lists(st.text(max_size=20), max_size=6).map(tuple))
def test_any_arguments_are_read_or_refused(given: tuple[str, ...]) -> None:
    for each in ROUTER.commands:
        try:
            read: object = arguments(each, given)
        except Refused as refused:
            read = refused.reason.key
        assert isinstance(read, each.arguments) or read in ("command.missing", "command.too_many", "command.wrong")
