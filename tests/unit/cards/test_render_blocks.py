"""Block by block: what a reader gets, and what Feishu would have refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.cards import BadCard, RenderedCard, render
from bot.cards.values import (
    Action,
    Block,
    Button,
    Buttons,
    Card,
    Chart,
    ChartKind,
    Choice,
    Column,
    Facts,
    Field,
    Fold,
    Form,
    Input,
    Item,
    Items,
    Line,
    Menu,
    Note,
    Option,
    PersonChoice,
    Pictures,
    Quote,
    Rule,
    Table,
    Tag,
    Tone,
    Warning,
)
from bot.texts import Catalogue, text
from sandbox.feishu.cards import check_card

CLAIM = Button(text("s.claim"), Action("claim", "1", 2))
TITLE = text("s.title", number="1")

Draw = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def rendered(words: Catalogue) -> Callable[..., RenderedCard]:
    def one(*blocks: Block, **rest: Any) -> RenderedCard:
        card = Card(title=rest.pop("title", TITLE), blocks=blocks, **rest)
        return render(card, sign=lambda action: {"a": action.name}, zone="Asia/Shanghai", catalogue=words)

    return one


@pytest.fixture
def draw(rendered: Callable[..., RenderedCard]) -> Draw:
    def elements(*blocks: Block, **rest: Any) -> list[dict[str, Any]]:
        card = json.loads(rendered(*blocks, **rest).json)
        check_card(card, lambda person: True, lambda image: True)
        found: list[dict[str, Any]] = card["body"]["elements"]
        return found

    return elements


def walk(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)


def of(elements: object, tag: str) -> list[dict[str, Any]]:
    return [node for node in walk(elements) if node.get("tag") == tag]


@pytest.mark.parametrize(
    ("tone", "template"),
    [
        (Tone.NEUTRAL, "grey"),
        (Tone.CALM, "blue"),
        (Tone.WAITING, "orange"),
        (Tone.URGENT, "red"),
        (Tone.GOOD, "green"),
    ],
)
def test_the_header_says_by_colour_what_is_to_do(
    rendered: Callable[..., RenderedCard], tone: Tone, template: str
) -> None:
    tags = tuple(Tag(text("s.claim"), tone) for _ in range(5))
    drawn = rendered(tone=tone, tags=tags, subtitle="<b>\n客户")
    card = json.loads(drawn.json)
    assert card["header"]["template"] == template
    assert card["header"]["subtitle"]["content"] == "＜b> 客户"
    assert len(card["header"]["text_tag_list"]) == 3
    assert drawn.cut
    assert card["config"]["summary"]["i18n_content"] == {"zh_cn": "投诉 1", "en_us": "Complaint 1"}


def test_short_facts_stand_two_in_a_row_and_long_ones_alone(draw: Draw) -> None:
    pairs = ((text("s.who"), "王*"), (text("s.amount"), ""), (text("s.reason"), "很长" * 20), (text("s.left"), "x"))
    row, alone, last = draw(Facts(pairs))
    assert [len(each["columns"]) for each in (row, last)] == [2, 1]
    assert alone["tag"] == "markdown"
    assert of(row, "markdown")[1]["i18n_content"]["en_us"] == "<font color='grey'>Amount</font><br>—"


def test_a_quote_is_cut_and_says_so(draw: Draw) -> None:
    (box,) = draw(Quote("好" * 500, longest=10, author="客户"))
    assert box["background_style"] == "grey"
    author, said, note = of(box, "markdown")
    assert "客户" in author["content"]
    assert said["content"] == "好" * 9 + "…"
    assert note["i18n_content"]["en_us"] == "<font color='grey'>(cut, 500 characters in all)</font>"


def test_a_quote_of_many_lines_is_cut_and_an_empty_one_says_so(draw: Draw) -> None:
    (tall,) = draw(Quote("a\n" * 200, longest=1000))
    assert of(tall, "markdown")[0]["content"].count("<br>") == 20
    assert "399" in of(tall, "markdown")[1]["content"]
    (empty,) = draw(Quote(" \u200b\n"))
    assert "没有文字" in of(empty, "markdown")[0]["content"]


def test_emphasis_notes_warnings_and_rules(draw: Draw) -> None:
    strong, empty, note, warning, rule = draw(
        Line("a*b", strong=True), Line(""), Note("x\ny"), Warning(text("s.no")), Rule()
    )
    assert strong["content"] == "**a&#42;b**"
    assert empty["content"] == "—"
    assert note == {
        "tag": "markdown",
        "content": "<font color='grey'>x</font><br><font color='grey'>y</font>",
        "text_size": "notation",
    }
    assert "color='red'" in warning["content"]
    assert rule == {"tag": "hr"}


def test_buttons_click_open_or_say_why_not(draw: Draw) -> None:
    page = Button(text("s.history"), url="https://example.com/?a=1&b=2")
    broken = Button(text("s.history"), url="javascript:alert(1)")
    dead = Button(text("s.reply"), Action("reply"), why_not=text("s.no"))
    claim, link, off = of(draw(Buttons((CLAIM, page, broken, dead))), "button")
    assert claim["behaviors"] == [{"type": "callback", "value": {"a": "claim"}}]
    assert link["behaviors"] == [{"type": "open_url", "default_url": "https://example.com/?a=1&b=2"}]
    assert off["disabled"] is True
    assert off["disabled_tips"]["content"] == "你没有权限"
    assert "behaviors" not in off
    assert len({button["size"] for button in (claim, link, off)}) == 1


def test_a_row_without_a_button_that_works_is_left_out(draw: Draw) -> None:
    assert draw(Buttons(()), Buttons((Button(text("s.claim"), url="ftp://x"),))) == []


def test_a_button_that_does_nothing_is_a_mistake(draw: Draw) -> None:
    with pytest.raises(BadCard, match="does nothing"):
        draw(Buttons((Button(text("s.claim")),)))


def test_a_menu_keeps_its_choice_and_is_left_out_without_options(draw: Draw) -> None:
    options = (Option("a", "甲"), Option("b", text("s.claim")), Option("a", "again"), Option("", "nothing"))
    menu, second = draw(
        Menu(text("s.reason"), options, Action("choose"), chosen="b"),
        Menu(text("s.reason"), options, Action("choose"), chosen="gone"),
        Menu(text("s.reason"), (), Action("choose")),
    )
    assert [option["value"] for option in menu["options"]] == ["a", "b"]
    assert menu["initial_option"] == "b"
    assert "initial_option" not in second


def form(*fields: Field, name: str = "reply") -> Form:
    return Form(name, fields, CLAIM, (Button(text("s.reply"), Action("other")),))


def test_a_form_names_everything_and_has_one_submit(draw: Draw) -> None:
    (drawn,) = draw(
        form(
            Input("reason", text("s.reason"), placeholder=text("s.claim"), value="a\nb" * 600, lines=4, longest=5000),
            Input("amount", text("s.amount"), value="1\n2", longest=0, required=False),
            PersonChoice("who", text("s.who"), ("ou_a", "all", "ou_a", "ou_b")),
        )
    )
    assert drawn["name"] == "reply"
    reason, amount = of(drawn, "input")
    assert (reason["max_length"], reason["input_type"], len(reason["default_value"])) == (1000, "multiline_text", 1000)
    assert (amount["max_length"], amount["required"], amount["default_value"]) == (1, False, "1")
    assert of(drawn, "select_person")[0]["options"] == [{"value": "ou_a"}, {"value": "ou_b"}]
    submit, other = of(drawn, "button")
    assert submit["form_action_type"] == "submit"
    assert "form_action_type" not in other
    assert submit["name"] != other["name"]


def test_a_choice_without_options_says_so(draw: Draw) -> None:
    (drawn,) = draw(form(Choice("reason", text("s.reason"), ())))
    assert not of(drawn, "select_static")
    assert "没有可选项" in json.dumps(drawn, ensure_ascii=False)


@pytest.mark.parametrize(
    "blocks",
    [
        (form(Input("x", text("s.reason")), Input("x", text("s.reason"))),),
        (form(), form()),
        (form(Input("x", text("s.reason"))), form(Input("x", text("s.reason")), name="other")),
        (form(Input("", text("s.reason"))),),
        (form(Input("理由", text("s.reason"))),),
        (Form("f", (), Button(text("s.claim"), url="https://example.com")),),
    ],
)
def test_names_that_feishu_would_refuse_are_mistakes(draw: Draw, blocks: tuple[Block, ...]) -> None:
    with pytest.raises(BadCard):
        draw(*blocks)


def test_a_table_shows_both_languages_and_pads_rows(draw: Draw) -> None:
    columns = (Column("x", text("s.who")), Column("x", text("s.amount")))
    table, more = draw(Table(columns, (("<at id=all></at>", text("s.claim")), ("only one",)) * 60))
    assert [column["name"] for column in table["columns"]] == ["c0", "c1"]
    assert table["columns"][0]["display_name"] == "客户 / Customer"
    assert table["rows"][:2] == [{"c0": "＜at id=all>＜/at>", "c1": "认领 / Claim"}, {"c0": "only one"}]
    assert table["page_size"] == 10
    assert more["i18n_content"]["en_us"] == "<font color='grey'>20 more</font>"


def test_an_empty_table_says_so_and_a_sixth_one_is_left_out(draw: Draw, rendered: Callable[..., RenderedCard]) -> None:
    columns = (Column("x", text("s.who")),)
    assert "暂无记录" in draw(Table(columns, ()))[0]["content"]
    six = (Table(columns, (("x",),)),) * 6
    assert len(of(draw(*six), "table")) == 5
    assert rendered(*six).cut
    assert "部分内容未显示" in rendered(*six).json


def test_items_have_their_button_at_the_right(draw: Draw) -> None:
    with_button, without = draw(
        Items((Item("标题 <b>", text("s.claim"), CLAIM, Tag(text("s.claim"), Tone.URGENT)), Item("x")))
    )
    left, right = with_button["columns"]
    assert left["elements"][0]["i18n_content"]["en_us"] == (
        "**标题 &#60;b&#62;** <text_tag color='red'>Claim</text_tag><br><font color='grey'>Claim</font>"
    )
    assert right["elements"][0]["size"] == "small"
    assert without == {"tag": "markdown", "content": "**x**"}


def test_a_fold_holds_its_blocks_and_hands_out_what_it_may_not_hold(draw: Draw) -> None:
    table = Table((Column("x", text("s.who")),), (("x",),))
    inner = Fold(text("s.history"), (Fold(text("s.history"), (Items((Item("deep", button=CLAIM),)), table)),))
    panel, *rest = draw(Fold(text("s.history"), (Line("a"), form(), inner), opened=True))
    assert panel["expanded"] is True
    assert [each["tag"] for each in rest] == ["table", "form"]
    assert len(of(panel, "collapsible_panel")) == 2
    assert "deep" in json.dumps(panel)


def test_pictures(draw: Draw) -> None:
    one, two, four, many, more = draw(
        Pictures(("img_1",)),
        Pictures(("img_1", "img_2")),
        Pictures(("img_1",) * 4),
        Pictures(("img_1",) * 12),
        Pictures(("../x", "")),
    )
    assert one["img_key"] == "img_1"
    assert [each["combination_mode"] for each in (two, four, many)] == ["double", "bisect", "trisect"]
    assert len(many["img_list"]) == 9
    assert "还有 3 条" in more["content"]


@pytest.mark.parametrize("kind", list(ChartKind))
def test_charts(draw: Draw, kind: ChartKind) -> None:
    title, chart, empty = draw(
        Chart(kind, text("s.amount"), (("<at id=all>", 3), (text("s.claim"), 4))), Chart(kind, TITLE, ())
    )
    assert chart["chart_spec"]["type"] == kind
    assert chart["chart_spec"]["data"]["values"] == [
        {"label": "＜at id=all>", "value": 3},
        {"label": "认领 / Claim", "value": 4},
    ]
    assert title["i18n_content"]["en_us"] == "**Amount**"
    assert "暂无数据" in empty["content"]
