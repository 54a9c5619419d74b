from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.texts import safe_text_message
from bot.texts.clean import clean, clusters, cut, one_line

ANYTHING = st.text(st.characters(), max_size=80)  # half surrogates included
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("平常的话，ok!", "平常的话，ok!"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\tb", "a b"),
        ("\x00\x1b[31m\x7f", "␀␛[31m␡"),
        ("cod\u202eexe.txt", "codexe.txt"),
        ("\u2067مرحبا\u2069", "مرحبا"),
        ("p\u200bay\ufeffpal\u00ad", "paypal"),
        ("x\u3164\u115f\u2800y", "xy"),
        ("\ud83d", "\ufffd"),
        ("\U000e0041\U000e0100", ""),
        ("e" + "\u0301" * 50, "e" + "\u0301" * 3),
        (FAMILY, FAMILY),
        ("a\u200db", "ab"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("\u00a0x\u3000", " x "),
    ],
)
def test_what_hides_or_reorders_goes_and_the_rest_stays(words: str, shown: str) -> None:
    assert clean(words) == shown


@given(ANYTHING)
def test_cleaned_words_encode_hold_no_controls_and_stay_clean(words: str) -> None:
    cleaned = clean(words)
    cleaned.encode()
    assert all(letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cs") for letter in cleaned)
    assert all(letter == "\u200d" or unicodedata.category(letter) != "Cf" for letter in cleaned)
    assert clean(cleaned) == cleaned


@given(ANYTHING)
def test_clusters_only_divide(words: str) -> None:
    assert "".join(clusters(words)) == words


@pytest.mark.parametrize(
    ("words", "longest", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        (f"a{FAMILY}b", 2, "a…"),
        (f"{FAMILY}ab", 2, f"{FAMILY}…"),
        (FAMILY, 1, FAMILY),
        ("🇨🇳🇺🇸🇫🇷", 2, "🇨🇳…"),
        ("👍🏽👍🏽👍🏽", 2, "👍🏽…"),
        ("éé" + "e\u0301", 2, "é…"),
        ("1\ufe0f\u20e32", 1, "…"),
    ],
)
def test_a_cut_never_splits_what_is_seen_as_one_letter(words: str, longest: int, shown: str) -> None:
    assert cut(words, longest)[0] == shown
    assert cut(words, longest)[1] is (shown != words)


@given(ANYTHING, st.integers(1, 90))
def test_a_cut_is_never_longer_than_asked_for(words: str, longest: int) -> None:
    kept, was_cut = cut(clean(words), longest)
    assert len(list(clusters(kept))) <= longest
    assert was_cut == (kept != clean(words))


def test_one_line() -> None:
    assert one_line(" a\n\n b\t\u3000c ") == "a b c"


@pytest.mark.parametrize(
    "words",
    [
        '<at user_id="all"></at>',
        "<AT user_id='all'>",
        "< at id=all>",
        "<\u200bat user_id=all>",
        "<b>x</b>",
        "[银行](https://evil.example)",
        "[银行]\u200b(https://evil.example)",
    ],
)
def test_a_text_message_formats_nothing(words: str) -> None:
    shown = safe_text_message(words)
    assert not set("<>") & set(shown)
    assert "](" not in shown


@given(ANYTHING)
def test_a_text_message_is_safe_whatever_it_says(words: str) -> None:
    shown = safe_text_message(words)
    assert not set("<>") & set(shown)
    assert "](" not in shown
    assert safe_text_message(shown) == shown
