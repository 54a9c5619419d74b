"""The packaged catalogue against itself and against the sources: nothing missing, nothing left over."""

from __future__ import annotations

import re

import pytest

from bot.texts import LANGUAGES, catalogue
from bot.texts.catalogue import _PLACE, parameters
from tests.text_uses import ROOT, Uses, sources, uses_in

EVERY_KEY = sorted(set().union(*(catalogue().keys(language) for language in LANGUAGES)))


@pytest.fixture(scope="module")
def uses() -> Uses:
    found = Uses()
    for path in sources():
        each = uses_in(path.read_text("utf-8"), str(path.relative_to(ROOT)))
        found.calls += each.calls
        found.made_up += each.made_up
        found.patterns |= each.patterns
        found.strings |= each.strings
    return found


def test_both_languages_have_the_same_keys() -> None:
    zh, en = (catalogue().keys(language) for language in LANGUAGES)
    assert sorted(zh ^ en) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_brace_belongs_to_a_parameter(language: str) -> None:
    broken = [key for key in EVERY_KEY if set(_PLACE.sub("", catalogue().template(key, language))) & set("{}")]  # type: ignore[arg-type]  # a str of LANGUAGES
    assert broken == []


def test_both_languages_ask_for_the_same_parameters() -> None:
    known = catalogue()
    differing = [
        key for key in EVERY_KEY if parameters(known.template(key, "zh_cn")) != parameters(known.template(key, "en_us"))
    ]
    assert differing == []


def test_every_used_key_exists(uses: Uses) -> None:
    missing = [f"{place}: {key}" for place, key, _ in uses.calls if key not in EVERY_KEY]
    missing += [
        f"{place}: nothing like {expression}"
        for place, expression in uses.made_up
        if not any(re.fullmatch(expression, key) for key in EVERY_KEY)
    ]
    assert missing == []


def test_every_use_gives_exactly_the_parameters(uses: Uses) -> None:
    known = catalogue()
    wrong = [
        f"{place}: {key} wants {sorted(wanted)}, is given {sorted(given)}"
        for place, key, given in uses.calls
        if given is not None and key in EVERY_KEY and given != (wanted := parameters(known.template(key, "zh_cn")))
    ]
    assert wrong == []


def test_no_key_is_left_over(uses: Uses) -> None:
    unused = [
        key
        for key in EVERY_KEY
        if key not in uses.strings and not any(re.fullmatch(expression, key) for expression in uses.patterns)
    ]
    assert unused == []


def test_the_scan_sees_calls_tables_and_made_up_keys() -> None:
    found = uses_in(
        "from bot.texts import text as say\n"
        "TABLE = {1: 'area.one'}\n"
        "say('area.two', name='x')\n"
        "say('area.three', **more)\n"
        "say(f'area.state.{state}')\n"
        "other('area.four', f'{a}.{b}')\n",
        "file.py",
    )
    assert found.calls == [("file.py:3", "area.two", frozenset({"name"})), ("file.py:4", "area.three", None)]
    assert "area.one" in found.strings
    assert found.made_up == [("file.py:5", r"area\.state\.[\w.]+")]
    assert found.patterns == {r"area\.state\.[\w.]+"}
