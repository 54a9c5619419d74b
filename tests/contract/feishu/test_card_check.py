"""The card builder refuses what Feishu refuses, with the same codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.feishu.platform import Feishu
from sandbox.server import Sandbox
from tests.contract.feishu.conftest import Company, Raw, button, card, plain, refund_form

MARKDOWN = {"tag": "markdown", "content": "你好"}
TABLE = {
    "tag": "table",
    "columns": [{"name": "who", "data_type": "text"}, {"name": "sum", "data_type": "number"}],
    "rows": [{"who": "a", "sum": 1}],
}
SELECT = {"tag": "select_static", "options": [{"text": plain("甲"), "value": "a"}]}
PANEL = {"tag": "collapsible_panel", "header": {"title": plain("更多")}, "elements": [MARKDOWN]}


def column_set(*elements: dict[str, Any]) -> dict[str, Any]:
    column = {"tag": "column", "width": "weighted", "weight": 1, "elements": list(elements)}
    return {"tag": "column_set", "flex_mode": "bisect", "columns": [column]}


def nested(levels: int) -> dict[str, Any]:
    inner: dict[str, Any] = MARKDOWN
    for _ in range(levels):
        inner = {**PANEL, "elements": [inner]}
    return inner


GOOD = {
    "markdown": card(MARKDOWN),
    "form": card(refund_form()),
    "table": card(TABLE),
    "select": card({**SELECT, "behaviors": [{"type": "callback", "value": {"act": "page"}}]}),
    "columns": card(column_set(MARKDOWN, button("好", {"a": 1}))),
    "panel": card(PANEL),
    "five levels": card(nested(5)),
    "chart": card({"tag": "chart", "chart_spec": {"type": "bar", "data": {"values": []}}}),
    "custom size": card(
        {"tag": "markdown", "content": "x", "text_size": "cus"},
        config={"style": {"text_size": {"cus": {"default": "medium"}}}},
    ),
    "everybody": card({"tag": "markdown", "content": "<at id=all></at>"}),
    "confirm": card(button("退款", {"a": 1}, confirm={"title": plain("确定"), "text": plain("不可撤回")})),
    "overflow": card({"tag": "overflow", "options": [{"text": plain("甲"), "value": "a"}]}),
    "tags": card(
        header={
            "title": plain("标题", en_us="Title"),
            "template": "red",
            "text_tag_list": [{"tag": "text_tag", "text": plain("紧急"), "color": "red"}],
        }
    ),
    "version 1": {"elements": [{"tag": "div", "nobody": "checks this"}]},
}

BAD: dict[str, tuple[object, int]] = {
    "not json": ("{", 200621),
    "unknown schema": ({"schema": "3.0"}, 200621),
    "unknown root property": (card(elements=[]), 200621),
    "unknown component": (card({"tag": "note", "elements": []}), 200861),
    "action of 1.0": (card({"tag": "action", "actions": []}), 200861),
    "no tag": (card({"content": "x"}), 200861),
    "unknown property": (card({**MARKDOWN, "colour": "red"}), 200621),
    "value on a button": (card({**button("好"), "value": {"a": 1}}), 200621),
    "unknown template": (card(header={"title": plain("x"), "template": "pink"}), 200621),
    "header without title": (card(header={"template": "red"}), 200621),
    "four tags": (
        card(header={"title": plain("x"), "text_tag_list": [{"tag": "text_tag", "text": plain("x")}] * 4}),
        200621,
    ),
    "not shared": (card(config={"update_multi": False}), 300302),
    "wide screen of 1.0": (card(config={"wide_screen_mode": True}), 200621),
    "201 nodes": (card(*[MARKDOWN] * 200), 11310),
    "six tables": (card(*[TABLE] * 6), 11310),
    "five markdown tables": (card({"tag": "markdown", "content": "|a|b|\n|---|---|\n|1|2|\n\n" * 5}), 11310),
    "form in a column": (card(column_set(refund_form())), 200861),
    "table in a panel": (card({**PANEL, "elements": [TABLE]}), 200861),
    "six levels": (card(nested(6)), 200621),
    "multi select outside a form": (card({**SELECT, "tag": "multi_select_static"}), 200861),
    "form without submit": (card({**refund_form(), "elements": [MARKDOWN]}), 200530),
    "form without name": (card({**refund_form(), "name": ""}), 200530),
    "field without name": (
        card({"tag": "form", "name": "f", "elements": [{"tag": "input"}, refund_form()["elements"][-1]]}),
        200530,
    ),
    "two fields with one name": (
        card({"tag": "form", "name": "f", "elements": [refund_form()["elements"][-1]] * 2}),
        200530,
    ),
    "two forms with the same fields": (card(refund_form(), {**refund_form(), "name": "again"}), 200530),
    "element_id twice": (card({**MARKDOWN, "element_id": "a"}, {**MARKDOWN, "element_id": "a"}), 300301),
    "element_id with a digit first": (card({**MARKDOWN, "element_id": "1a"}), 300301),
    "input too long": (card({"tag": "input", "max_length": 1001}), 200621),
    "default longer than allowed": (card({"tag": "input", "max_length": 3, "default_value": "1234"}), 200621),
    "placeholder too long": (card({"tag": "input", "placeholder": plain("x" * 101)}), 200621),
    "option twice": (card({**SELECT, "options": SELECT["options"] * 2}), 200621),  # type: ignore[operator]  # a JSON literal
    "no options": (card({**SELECT, "options": []}), 200621),
    "initial option unknown": (card({**SELECT, "initial_option": "b"}), 200621),
    "unknown behavior": (card(button("x", behaviors=[{"type": "jump"}])), 200621),
    "callback with a number": (card(button("x", 5)), 200621),
    "link to nowhere": (
        card(button("x", behaviors=[{"type": "open_url", "default_url": "javascript:alert(1)"}])),
        200621,
    ),
    "confirm without title": (card(button("x", {"a": 1}, confirm={"text": plain("?")})), 200621),
    "button of unknown type": (card(button("x", type="huge")), 200621),
    "mention of nobody": (card({"tag": "markdown", "content": "<at id=ou_nobody></at>"}), 100290),
    "person in markdown": (card({"tag": "markdown", "content": "<person id='ou_nobody'></person>"}), 100290),
    "person component": (card({"tag": "person", "user_id": "ou_nobody"}), 100290),
    "person in a list": (card({"tag": "person_list", "persons": [{"id": "ou_nobody"}]}), 100290),
    "person as an option": (card({"tag": "select_person", "options": [{"value": "ou_nobody"}]}), 100290),
    "person in a table": (
        card({"tag": "table", "columns": [{"name": "p", "data_type": "persons"}], "rows": [{"p": ["ou_nobody"]}]}),
        100290,
    ),
    "picture unknown": (card({"tag": "img", "img_key": "img_nothing", "alt": plain("")}), 200570),
    "picture in markdown": (card({"tag": "markdown", "content": "![x](img_nothing)"}), 200570),
    "chart without data": (card({"tag": "chart", "chart_spec": {"type": "bar"}}), 200550),
    "row outside the columns": (card({**TABLE, "rows": [{"whom": "a"}]}), 200915),
    "cell of a wrong type": (card({**TABLE, "rows": [{"sum": "1"}]}), 200914),
    "eleven rows a page": (card({**TABLE, "page_size": 11}), 200621),
    "numeric column width": (card({"tag": "column_set", "columns": [{"tag": "column", "width": 100}]}), 200621),
    "margin": (card({**MARKDOWN, "margin": "big"}), 200621),
    "unknown language": (card({"tag": "markdown", "content": "x", "i18n_content": {"xx": "y"}}), 200621),
    "tag is an object": (card({"tag": {"a": 1}}), 200621),
    "type is a list": (card(button("x", type=["primary"])), 200621),
    "elements are a text": (card(body={"elements": "x"}), 200621),
    "thousands of brackets": ("[" * 20000, 200621),
    "template": ({"type": "template", "data": {"template_id": "x"}}, 200380),
    "entity": ({"type": "card", "data": {"card_id": "1"}}, 200740),
}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One sandbox for all cards; each test has a group of its own in it."""
    with Sandbox() as sandbox:
        sandbox.feishu.limits.enabled = False
        yield sandbox


@pytest.mark.parametrize("name", GOOD)
def test_a_good_card_is_taken(name: str, raw: Raw, company: Company) -> None:
    assert raw.send(company.group.chat_id, GOOD[name])["code"] == 0


@pytest.mark.parametrize("name", BAD)
def test_a_bad_card_is_refused_with_its_code(name: str, raw: Raw, company: Company) -> None:
    content, code = BAD[name]
    answer = raw.send(company.group.chat_id, content)
    assert (answer["status"], answer["code"]) == (400, 230099)
    assert answer["msg"].startswith(f"Failed to create card content, ext=ErrCode: {code}; ErrMsg: ")


def test_exactly_200_nodes_and_30_kb_fit(raw: Raw, company: Company) -> None:
    assert raw.send(company.group.chat_id, card(*[MARKDOWN] * 199))["code"] == 0
    small = len(json.dumps(card({"tag": "markdown", "content": ""}), ensure_ascii=False).encode())
    full = card({"tag": "markdown", "content": "x" * (30 * 1024 - small)})
    over = card({"tag": "markdown", "content": "x" * (30 * 1024 - small + 1)})
    assert raw.send(company.group.chat_id, full)["code"] == 0
    assert raw.send(company.group.chat_id, over)["code"] == 230025


def test_people_and_pictures_that_exist_are_taken(raw: Raw, company: Company, feishu: Feishu) -> None:
    picture = feishu.user_uploads(company.zhang.open_id, b"\x89PNG\r\n\x1a\n", "a.png", "image/png")
    good = card(
        {"tag": "markdown", "content": f"<at id={company.zhang.open_id}></at> ![x]({picture.key})"},
        {"tag": "img", "img_key": picture.key, "alt": plain("图")},
        {"tag": "select_person", "options": [{"value": company.li.open_id}]},
    )
    assert raw.send(company.group.chat_id, good)["code"] == 0


def test_a_leaver_on_a_card_makes_the_whole_card_fail(raw: Raw, company: Company, feishu: Feishu) -> None:
    content = card({"tag": "markdown", "content": f"<at id={company.li.open_id}></at>"})
    assert raw.send(company.group.chat_id, content)["code"] == 0
    feishu.user_leaves(company.li.open_id)
    answer = raw.send(company.group.chat_id, content)
    assert answer["code"] == 230099
    assert "100290" in answer["msg"]


def test_a_card_of_2_0_never_becomes_1_0(raw: Raw, company: Company) -> None:
    sent = raw.send(company.group.chat_id, card(MARKDOWN))
    old = json.dumps({"elements": []})
    answer = raw.call("PATCH", f"/im/v1/messages/{sent['data']['message_id']}", {"content": old})
    assert answer["code"] == 230099
    assert "200830" in answer["msg"]
