"""Hostile words in card markdown, judged by a CommonMark parser that is not ours."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.cards.escape import coloured, hostile, mention, own
from bot.texts import Mention
from bot.texts.clean import clean

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
SIGNS = st.text(st.sampled_from("<>&*_~`[]()#!|\\$:/=@+-.\"' \n\tat1idHTMLwx所\u200b\u202e"), max_size=60)
PIECES = st.lists(
    st.sampled_from(
        [
            "<at id=all></at>",
            "<at email=a@b.cn></at>",
            "<person id='ou_1'></person>",
            "<font color='red'>",
            "</font>",
            "<br>",
            "&#60;at id=all&#62;",
            "&lt;at id=all&gt;",
            "[x](https://evil.example)",
            "![x](img_1)",
            "https://evil.example",
            "www.evil.example",
            "a@evil.example",
            "**x**",
            "__x__",
            "~~x~~",
            "`x`",
            "```\nx\n```",
            "# x",
            "> x",
            "- x",
            "1. x",
            "2) x",
            "---",
            "===",
            "| a | b |\n| - | - |\n| c | d |",
            "    code",
            ":DONE:",
            "$x$",
            "${x}",
            "\n",
            "\n\n",
            "<!-- ",
            "<raw>",
            "]]>",
        ]
    ),
    max_size=6,
).map("".join)


def shown(markdown: str) -> str:
    """What a reader sees: text and breaks. Anything else that the parser finds fails the test."""
    seen: list[str] = []
    for token in PARSER.parse(markdown):
        if token.type in ("paragraph_open", "paragraph_close"):
            continue
        assert token.type == "inline", f"{token.type} in {markdown!r}"
        for child in token.children or []:
            if child.type == "html_inline" and child.content == "<br>":
                seen.append("\n")
            else:
                assert child.type in ("text", "text_special"), f"{child.type} in {markdown!r}"
                seen.append(child.content)
    return "".join(seen)


@given(st.one_of(PIECES, SIGNS, st.text(st.characters(), max_size=60)))
def test_a_reader_sees_the_words_and_nothing_else(words: str) -> None:
    expected = clean(words).strip(" \n")
    # The parser trims lines at the ends, and no-break spaces stand for indents.
    assert shown(hostile(words)).replace("\u00a0", " ").strip(" \n").split("\n") == expected.split("\n")


@given(st.one_of(PIECES, SIGNS))
def test_no_tag_but_our_break_is_left(words: str) -> None:
    markdown = hostile(words).replace("<br>", "\n")
    assert not set("<>*_~`[]|\\#$@=") & set(re.sub(r"&#\d+;|&nbsp;", "", markdown))
    assert "://" not in markdown
    assert not re.search(r":[A-Za-z]+:|\.[A-Za-z]", markdown)  # emoji codes, and domains that a client would link
    assert html.unescape(markdown).replace("\u00a0", " ") == clean(words).strip("\n")


def test_numbers_times_and_ids_stay_readable() -> None:
    assert hostile("T2026-1 ¥1,234.50 09:38 11-23 王*") == "T2026-1 ¥1,234.50 09:38 11-23 王&#42;"


@pytest.mark.parametrize("words", ["1. 先 *看* 再 [做] <b>", "# 一\n- 二", "a_b_c `x` \\ &amp; |"])
def test_our_own_texts_are_shown_as_signs_too(words: str) -> None:
    assert shown(own(words)) == words


def test_colours_go_line_by_line() -> None:
    assert coloured("a<br>b", "grey") == "<font color='grey'>a</font><br><font color='grey'>b</font>"


@pytest.mark.parametrize(
    ("who", "markdown"),
    [
        (Mention("ou_a1", "王芳", ping=True), "<at id=ou_a1></at>"),
        (Mention("ou_a1", "王芳"), "王芳"),
        (Mention("all", "*", ping=True), "&#42;"),
        (Mention("ou_a1></at><at id=all", "x", ping=True), "x"),
        (Mention("", "", ping=True), ""),
    ],
)
def test_only_a_well_formed_person_is_pinged(who: Mention, markdown: str) -> None:
    assert mention(who) == markdown
