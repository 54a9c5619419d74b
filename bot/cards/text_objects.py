"""Puts words into the text objects of a card, in both languages at once, within the limits of one drawing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import TypeAlias

from bot.cards import escape
from bot.cards.limits import Limits
from bot.cards.values import Action, Words
from bot.texts import LANGUAGES, Catalogue, Language, Style, Text
from bot.texts.clean import clean, cut, one_line

Json: TypeAlias = dict[str, object]
Sign: TypeAlias = Callable[[Action], Mapping[str, object]]

# `plain_text` formats nothing by the book. Should a client ever read tags there, this keeps hostile words from pinging.
_TAG_LIKE = re.compile(r"<(?=/?[A-Za-z])")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class BadCard(ValueError):
    """A card that nobody could draw: a mistake in the code that built it, never a matter of its size or its words."""


class TextWriter:
    """One drawing of one card: the texts, the reader's zone, the limits, and what became of them.

    `shortened` says that something is shown shorter than it is and says so itself; `left_out` that a part is missing.
    """

    def __init__(self, catalogue: Catalogue, zone: str, sign: Sign, limits: Limits) -> None:
        self.limits = limits
        self.sign = sign
        self.shortened = False
        self.left_out = False
        self._catalogue = catalogue
        self._zone = zone
        self._names: set[str] = set()
        self._style = Style(own=escape.own, words=self._hostile, mention=escape.mention)

    def markdown(self, words: Words, language: Language) -> str:
        """Card markdown that shows the words as they are."""
        if isinstance(words, Text):
            return self._catalogue.write(words, language, self._style, zone=self._zone)
        return self._hostile(words)

    def line(self, words: Words, language: Language, longest: int) -> str:
        """One line for a `plain_text`, which formats nothing."""
        return self.shorten(_TAG_LIKE.sub("＜", self._plain(words, language)), longest)

    def width(self, words: Words) -> int:
        """How wide a line is drawn in the wider language, in Latin letters; a Chinese one counts two."""
        return max(
            sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in self._plain(words, language))
            for language in LANGUAGES
        )

    def _plain(self, words: Words, language: Language) -> str:
        return one_line(self._catalogue.render(words, language, zone=self._zone) if isinstance(words, Text) else words)

    def shorten(self, words: str, longest: int, *, ending: str = "…") -> str:
        """At most `longest` letters of cleaned words."""
        kept, shortened = cut(words, longest, ending=ending)
        self.shortened |= shortened
        return kept

    def _hostile(self, words: str) -> str:
        return escape.hostile(self.shorten(clean(words), self.limits.words))

    def both(self, build: Callable[[Language], str]) -> Json:
        """`content` and, where the languages differ, `i18n_content`: Feishu shows `content` to everybody without it."""
        zh, en = build("zh_cn"), build("en_us")
        return {"content": zh} if zh == en else {"content": zh, "i18n_content": {"zh_cn": zh, "en_us": en}}

    def paragraph(self, build: Callable[[Language], str], *, small: bool = False) -> Json:
        """A `markdown` element of what `build` writes in each language."""
        element: Json = {"tag": "markdown", **self.both(build)}
        return element | {"text_size": "notation"} if small else element

    def text(self, words: Words, longest: int) -> Json:
        """A `plain_text` object of one line."""
        return {"tag": "plain_text", **self.both(lambda language: self.line(words, language, longest))}

    def bilingual(self, words: Words, longest: int) -> str:
        """One string for places where Feishu knows no languages: Chinese, then English where it differs."""
        zh, en = self.line(words, "zh_cn", longest), self.line(words, "en_us", longest)
        return zh if zh == en else f"{zh} / {en}"

    def name(self, wanted: str) -> str:
        """A name of an interactive element. BadCard where it is malformed or taken: Feishu refuses such cards."""
        if not _NAME.fullmatch(wanted):
            raise BadCard(f"{wanted!r} cannot name an element")
        if wanted in self._names:
            raise BadCard(f"two elements of the card are named {wanted}")
        self._names.add(wanted)
        return wanted

    def free_name(self, stem: str) -> str:
        """A name that nothing on the card has yet."""
        number = 1
        while f"{stem}_{number}" in self._names:
            number += 1
        return self.name(f"{stem}_{number}")
