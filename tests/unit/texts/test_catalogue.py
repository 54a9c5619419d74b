from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.texts import (
    Catalogue,
    Fen,
    Instant,
    Language,
    Left,
    Mention,
    MissingText,
    Param,
    catalogue,
    text,
)

WORDS = Catalogue(
    {
        "zh_cn": {"one": "{x}", "count": "{n} 条", "outer": "「{inner}」", "braces": "{{x}} {x}"},
        "en_us": {"one": "{x}", "count": "{n} {n|item|items}", "outer": "“{inner}”", "braces": "{{x}} {x}"},
    },
    strict=True,
)
PACKAGED = catalogue(strict=True)


def said(value: Param, language: Language = "zh_cn", zone: str = "Asia/Shanghai") -> str:
    known = Catalogue(
        {
            each: {key: PACKAGED.template(key, each) for key in PACKAGED.keys(each)} | {"one": "{x}"}
            for each in ("zh_cn", "en_us")
        },
        strict=True,
    )
    return known.render(text("one", x=value), language, zone=zone)


@pytest.mark.parametrize(
    ("fen", "shown"),
    [(123450, "¥1,234.50"), (1, "¥0.01"), (0, "¥0.00"), (-5, "-¥0.05"), (100_000_000_00, "¥100,000,000.00")],
)
def test_money(fen: int, shown: str) -> None:
    assert (said(Fen(fen), "zh_cn"), said(Fen(fen), "en_us")) == (shown, shown)


@pytest.mark.parametrize(
    ("span", "zh", "en"),
    [
        (timedelta(hours=23, minutes=59, seconds=59), "23 小时 59 分", "23 h 59 min"),
        (timedelta(hours=24), "24 小时", "24 h"),
        (timedelta(hours=47, minutes=59), "47 小时 59 分", "47 h 59 min"),
        (timedelta(hours=71, minutes=59), "2 天 23 小时", "2 d 23 h"),
        (timedelta(days=3), "3 天", "3 days"),
        (timedelta(minutes=59, seconds=59), "59 分钟", "59 min"),
        (timedelta(minutes=1), "1 分钟", "1 min"),
        (timedelta(seconds=59), "不到 1 分钟", "less than 1 min"),
        (timedelta(hours=-3), "不到 1 分钟", "less than 1 min"),
    ],
)
def test_time_left_in_words(span: timedelta, zh: str, en: str) -> None:
    assert (said(Left(span), "zh_cn"), said(Left(span), "en_us")) == (zh, en)


@pytest.mark.parametrize(
    ("style", "zone", "shown"),
    [
        ("minute", "Asia/Shanghai", "11-23 00:38"),
        ("day", "Asia/Shanghai", "2026-11-23"),
        ("time", "America/New_York", "11:38"),
        ("day", "America/New_York", "2026-11-22"),
    ],
)
def test_a_moment_is_told_by_the_clock_of_the_chat(style: str, zone: str, shown: str) -> None:
    assert said(Instant(datetime(2026, 11, 22, 16, 38, tzinfo=UTC), style), zone=zone) == shown


def test_a_moment_without_a_zone_or_with_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        said(Instant(datetime(2026, 11, 22)))
    with pytest.raises(ValueError, match="style"):
        said(Instant(datetime(2026, 11, 22, tzinfo=UTC), "year"))


@pytest.mark.parametrize(("n", "en"), [(0, "0 items"), (1, "1 item"), (2, "2 items"), (-1, "-1 items")])
def test_plural(n: int, en: str) -> None:
    assert WORDS.render(text("count", n=n), "en_us") == en
    assert WORDS.render(text("count", n=n), "zh_cn") == f"{n} 条"


def test_sentences_nest_and_braces_can_be_written() -> None:
    assert WORDS.render(text("outer", inner=text("count", n=1)), "en_us") == "“1 item”"
    assert WORDS.render(text("braces", x="{x}"), "zh_cn") == "{x} {x}"


def test_a_parameter_is_never_read_as_a_template() -> None:
    assert WORDS.render(text("one", x="{y} {{ {x|a|b}"), "zh_cn") == "{y} {{ {x|a|b}"


@pytest.mark.parametrize(
    ("mention", "plain", "message"),
    [
        (Mention("ou_a1", "王芳", ping=True), "王芳", '<at user_id="ou_a1">王芳</at>'),
        (Mention("ou_a1", "王芳"), "王芳", "王芳"),
        (Mention("all", "所有人", ping=True), "所有人", "所有人"),
        (Mention('ou_a"></at><at user_id="all', "x", ping=True), "x", "x"),
        (Mention("ou_a1", "<b>", ping=True), "<b>", '<at user_id="ou_a1">＜b＞</at>'),
    ],
)
def test_people_by_name_or_pinged(mention: Mention, plain: str, message: str) -> None:
    assert WORDS.render(text("one", x=mention), "zh_cn") == plain
    assert WORDS.render(text("one", x=mention), "zh_cn", plain_mentions=False) == message


def test_hostile_words_in_a_text_message_are_harmless() -> None:
    shown = WORDS.render(text("one", x='<at user_id="all"></at>[a](http://x)'), "zh_cn", plain_mentions=False)
    assert shown == '＜at user_id="all"＞＜/at＞[a] (http://x)'


def test_strict_catalogue_raises_for_what_is_missing() -> None:
    with pytest.raises(MissingText, match="nowhere"):
        WORDS.render(text("nowhere"), "zh_cn")
    with pytest.raises(MissingText, match="no x"):
        WORDS.render(text("one"), "zh_cn")


def test_otherwise_the_key_is_shown_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    lenient = Catalogue({"zh_cn": {"one": "a {x}"}})
    with caplog.at_level(logging.ERROR):
        assert lenient.render(text("one"), "zh_cn") == "a {x}"
        assert lenient.render(text("one", x=1), "en_us") == "one"
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def po(folder: Path, language: Language, *entries: tuple[str, str]) -> None:
    (folder / "texts").mkdir(parents=True, exist_ok=True)
    body = "".join(f'\nmsgid "{key}"\nmsgstr "{words}"\n' for key, words in entries)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
    (folder / "texts" / f"{language}.po").write_text(head + body, "utf-8")


def test_texts_that_lie_beside_their_areas_are_read_together(tmp_path: Path) -> None:
    po(tmp_path / "ground", "zh_cn", ("a.x", "甲"))
    po(tmp_path / "areas" / "one", "zh_cn", ("b.x", "乙"))
    po(tmp_path / "areas" / "one" / "deeper", "zh_cn", ("c.x", "丙"))
    loaded = Catalogue.load(tmp_path / "ground", tmp_path / "areas")
    assert loaded.keys("zh_cn") == {"a.x", "b.x", "c.x"}
    assert loaded.keys("en_us") == set()
    assert loaded.render(text("b.x"), "zh_cn") == "乙"


def test_a_key_in_two_files_or_without_a_text_is_refused(tmp_path: Path) -> None:
    po(tmp_path / "one", "zh_cn", ("x", "甲"))
    po(tmp_path / "two", "zh_cn", ("x", "乙"))
    with pytest.raises(ValueError, match=r"one/texts/zh_cn\.po both give x"):
        Catalogue.load(tmp_path)
    po(tmp_path / "three", "en_us", ("x", ""))
    with pytest.raises(ValueError, match="needs one text"):
        Catalogue.load(tmp_path / "three")


def test_the_packaged_catalogue_is_read_once() -> None:
    assert catalogue() is catalogue()
