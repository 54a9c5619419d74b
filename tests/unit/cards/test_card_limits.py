"""Whatever a card holds, Feishu takes it, it pings nobody, and its buttons stay while anything does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.cards import RenderedCard, render
from bot.cards.limits import BYTES, NODES, nodes
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
    Fold,
    Form,
    Input,
    Item,
    Items,
    Line,
    Menu,
    Note,
    Option,
    Quote,
    Table,
    Warning,
    Words,
)
from bot.texts import Catalogue, Mention, text
from sandbox.feishu.cards import check_card


class Long(str):
    """A long text that is short in reports: Hypothesis warns of large ones."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Long({self[:3]!r}... of {len(self)})"


HOSTILE = st.one_of(
    st.text(st.characters(), max_size=40),
    st.sampled_from(
        [
            "<at id=all></at>",
            '<at user_id="all"></at>',
            "[点我](https://evil.example)",
            "**x**\n# y\n- z\n```\n",
            "|a|b|\n|-|-|\n",
            "\u202e\u200b\x00\ud800",
            Long("好" * 3000),
            Long("👨‍👩‍👧" * 2000),
            Long("&" * 5000),
        ]
    ),
)
WORDS: st.SearchStrategy[Words] = st.one_of(HOSTILE, HOSTILE.map(lambda words: text("s.words", words=words)))
# No shrinking: a card has so many parts that it takes minutes.
MODEST = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
CLAIM = Button(text("s.claim"), Action("claim", "1", 2))


def block(number: int) -> st.SearchStrategy[Block]:
    simple: st.SearchStrategy[Block] = st.one_of(
        st.builds(Line, WORDS, st.booleans()),
        st.builds(Note, WORDS),
        st.builds(Warning, WORDS),
        st.builds(Quote, HOSTILE, st.integers(1, 4000), st.none() | WORDS),
        st.lists(st.tuples(st.just(text("s.who")), WORDS), max_size=12).map(lambda pairs: Facts(tuple(pairs))),
        st.lists(st.builds(Item, WORDS, WORDS, st.just(CLAIM)), max_size=70).map(lambda items: Items(tuple(items))),
        st.lists(HOSTILE, max_size=9).map(lambda labels: Buttons((CLAIM,) * len(labels))),
        st.lists(st.tuples(WORDS, st.integers()), max_size=9).map(
            lambda pairs: Chart(ChartKind.BAR, text("s.amount"), tuple(pairs))
        ),
        st.lists(st.tuples(WORDS), max_size=40).map(
            lambda rows: Table((Column("x", text("s.words", words="x")),), tuple(rows))
        ),
        st.lists(st.builds(Option, st.text(min_size=1, max_size=5).filter(str.isalnum), WORDS), max_size=40).map(
            lambda options: Menu(text("s.reason"), tuple(options), Action("choose"))
        ),
    )
    fields = st.lists(HOSTILE, max_size=3).map(
        lambda values: Form(
            f"form{number}",
            tuple(Input(f"f{number}x{at}", text("s.reason"), value=value) for at, value in enumerate(values)),
            CLAIM,
        )
    )
    return st.one_of(
        simple, fields, st.lists(simple, max_size=4).map(lambda inside: Fold(text("s.history"), tuple(inside)))
    )


CARDS = st.builds(
    Card,
    title=HOSTILE.map(lambda words: text("s.words", words=words)),
    blocks=st.tuples(*(block(number) for number in range(5))),
    subtitle=st.none() | WORDS,
)


def draw(card: Card, words: Catalogue) -> RenderedCard:
    return render(card, sign=lambda action: {"a": action.name}, zone="Asia/Shanghai", catalogue=words)


def strings(value: object) -> Iterator[str]:
    """Everything that is shown; not what is prefilled in a field or sent back by a click."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in ("default_value", "value"):
                yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, str):
        yield value


def accepted(drawn: RenderedCard) -> dict[str, Any]:
    assert len(drawn.json.encode()) <= BYTES <= 30 * 1024
    card: dict[str, Any] = json.loads(drawn.json)
    assert nodes(card) <= NODES <= 200
    check_card(card, lambda person: True, lambda image: True)
    return card


@MODEST
@given(CARDS)
def test_any_card_is_taken_and_pings_nobody(words: Catalogue, card: Card) -> None:
    drawn = draw(card, words)
    for shown in strings(accepted(drawn)):
        assert "<at" not in shown.lower()
        assert "<person" not in shown.lower()
    for plain in (drawn.plain_zh, drawn.plain_en):
        assert "<" not in plain
        assert "](" not in plain
        assert len(plain.encode()) < 150_000


@MODEST
@given(st.lists(WORDS, min_size=1, max_size=4))
def test_no_markdown_but_ours_reaches_feishu(words: Catalogue, said: list[Words]) -> None:
    blocks: tuple[Block, ...] = tuple(Line(each) for each in said)
    for element in accepted(draw(Card(text("s.no"), blocks), words))["body"]["elements"]:
        for content in strings({key: part for key, part in element.items() if key.endswith("content")}):
            assert not re.search(r"[*_`\[\]|\\]|<(?!br>)|://", content)


def test_a_ping_is_there_only_where_it_was_asked_for(words: Catalogue) -> None:
    who = Mention("ou_li", "<at id=all></at>", ping=True)
    drawn = draw(Card(text("s.by", person=who), (Line(text("s.by", person=who)), Line("<at id=ou_li></at>"))), words)
    assert drawn.json.count("<at") == 3  # content and both languages
    assert drawn.json.count("<at id=ou_li></at>") == 3


def big(count: int) -> Card:
    many = tuple(Item("标题" * 20, "x" * 100, CLAIM) for _ in range(count))
    return Card(text("s.no"), (Quote("好" * 40_000, longest=2000), Items(many), Buttons((CLAIM,))))


def test_words_give_way_before_list_entries_and_folds(words: Catalogue) -> None:
    quotes = tuple(Quote("好" * 4000, longest=2000) for _ in range(8))
    card = Card(text("s.no"), (*quotes, Items((Item("x"),) * 25), Fold(text("s.history"), (Line("inside"),))))
    drawn = draw(card, words)
    accepted(drawn)
    assert drawn.cut
    assert drawn.json.count("**x**") == 25
    assert "inside" in drawn.json
    assert "部分内容未显示" not in drawn.json


def test_entries_give_way_before_folds_and_say_how_many_are_missing(words: Catalogue) -> None:
    card = Card(
        text("s.no"), (Items((Item("x", button=CLAIM),) * 40), Fold(text("s.history"), (Quote("引" * 900, 900),)))
    )
    drawn = draw(card, words)
    accepted(drawn)
    shown = drawn.json.count("**x**")
    assert 5 <= shown <= 30
    assert f"还有 {40 - shown} 条" in drawn.json
    assert "引" * 899 in drawn.json  # only nodes were too many: words stay


def test_folds_give_way_before_blocks(words: Catalogue) -> None:
    folds = tuple(Fold(text("s.history"), (Facts(((text("s.who"), "x"),) * 8),)) for _ in range(12))
    drawn = draw(Card(text("s.no"), (Line("first"), *folds)), words)
    accepted(drawn)
    assert "内容过长，已省略：协商历史" in drawn.json
    assert "first" in drawn.json


def test_what_can_be_clicked_stays_longest(words: Catalogue) -> None:
    lines = tuple(Line(f"line {number} " + "好" * 300) for number in range(120))
    form = Form(
        "f", (Choice("x", text("s.reason"), tuple(Option(str(n), "x" * 60) for n in range(300)), "299"),), CLAIM
    )
    drawn = draw(Card(text("s.no"), (*lines, Buttons((CLAIM,)), form)), words)
    card = accepted(drawn)
    assert drawn.json.count('"a":"claim"') == 2
    assert '"initial_option":"299"' in drawn.json
    assert "部分内容未显示" in card["body"]["elements"][-1]["content"]
    assert "line 0" in drawn.json


@pytest.mark.parametrize(
    "blocks",
    [
        (Buttons((CLAIM,) * 500),),
        tuple(Form(f"f{n}", tuple(Input(f"f{n}x{m}", text("s.reason")) for m in range(10)), CLAIM) for n in range(30)),
        (Buttons((Button(text("s.claim"), Action("x" * 40_000)),)),),
    ],
)
def test_even_a_monster_ends_as_a_card(words: Catalogue, blocks: tuple[Block, ...]) -> None:
    drawn = draw(Card(text("s.words", words="好" * 9000), blocks), words)
    card = accepted(drawn)
    assert drawn.cut
    assert "部分内容未显示" in card["body"]["elements"][-1]["content"]


def test_the_renderer_counts_at_least_as_strictly_as_feishu(words: Catalogue) -> None:
    drawn = draw(big(60), words)
    card = json.loads(drawn.json)
    spare = NODES - nodes(card)
    card["body"]["elements"] += [{"tag": "hr"}] * (spare + 200 - NODES)
    check_card(card, lambda person: True, lambda image: True)
