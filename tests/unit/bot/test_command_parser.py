"""What people's keyboards make of a command."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.incoming.command_parser import Typed, plain, read


@pytest.mark.parametrize(
    ("typed", "word", "arguments"),
    [
        ("/投诉", "投诉", ()),
        ("／投诉　我的", "投诉", ("我的",)),
        ("、投诉 我的", "投诉", ("我的",)),
        ("\\投诉", "投诉", ()),
        ("/ 投诉", "投诉", ()),
        ("//投诉", "投诉", ()),
        ("/ＡＵＤＩＴ Ｃ１２", "audit", ("C12",)),
        ("  /Audit\tc12\n", "audit", ("c12",)),
        ("/投诉\u00a0我的\u2003x", "投诉", ("我的", "x")),
        ("/投\u200b诉\ufeff", "投诉", ()),
        ("\u202e/投诉\u202c", "投诉", ()),
        ("/订阅 日报 ９：３０", "订阅", ("日报", "9:30")),
        ('/a "x y" z', "a", ("x y", "z")),
        ("/a 'x y' z", "a", ("x y", "z")),
        ("/a “x y” z", "a", ("x y", "z")),
        ("/a ‘x y’ z", "a", ("x y", "z")),
        ("/a 「x y」 z", "a", ("x y", "z")),
        ("/a 『x y』 z", "a", ("x y", "z")),
        ("/a «x y» z", "a", ("x y", "z")),
        ("/a „x y” z", "a", ("x y", "z")),
        ("/a ＂x y＂ z", "a", ("x y", "z")),
        ("/a “x y“ z", "a", ("x y", "z")),
        ('/a “x y" z', "a", ("x y", "z")),
        ("/a 「x y” z", "a", ("x y", "z")),
        ('/a "" z', "a", ("", "z")),
        ("/a don't stop", "a", ("don't", "stop")),
        ("/a 5'10\" tall", "a", ("5'10\"", "tall")),
        ("/a x=“b c”", "a", ("x=“b", "c”")),
    ],
)
def test_reads(typed: str, word: str, arguments: tuple[str, ...]) -> None:
    assert read(typed) == Typed(word, arguments, slash=True)


@pytest.mark.parametrize("typed", ["投诉 我的", "  投诉\u3000我的 "])
def test_without_a_slash(typed: str) -> None:
    assert read(typed) == Typed("投诉", ("我的",), slash=False)


@pytest.mark.parametrize("typed", ["", "   ", "\u200b", "\x00\x07", "\n"])
def test_nothing_typed(typed: str) -> None:
    assert read(typed) == Typed("", (), slash=False)


@pytest.mark.parametrize("typed", ['/a "x y', "/a “x y", "/a 'x", '/a "', "/a 「"])
def test_a_quotation_without_end_is_told(typed: str) -> None:
    with pytest.raises(Refused) as raised:
        read(typed)
    assert raised.value.reason.key == "command.quote_open"


HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from("/、\\\"'“”‘’「」『』«»„ \t\n\u3000\u200b\u202e＂／é投诉a=@{}"), st.characters())
)


@given(HOSTILE)
def test_anything_at_all_is_read_or_refused(typed: str) -> None:
    try:
        found = read(typed)
    except Refused:
        return
    for part in (found.word, *found.arguments):
        assert not any(unicodedata.category(character) in ("Cc", "Cf") for character in part)
    assert found.word == found.word.casefold()
    assert not found.word.startswith("/")


@given(st.lists(st.text(alphabet="abc投诉123", min_size=1), min_size=1, max_size=5))
def test_plain_words_come_through_as_they_are(words: list[str]) -> None:
    assert read("/" + " ".join(words)) == Typed(words[0], tuple(words[1:]), slash=True)


@given(st.text())
def test_cleaning_twice_is_cleaning_once(words: str) -> None:
    once = plain(words)
    assert plain(once) == once
