"""The one catalogue of chat texts: a folder `texts` beside who says them, and how a sentence is put into words.

A message id is a key (`complaint.card.title`). A message is plain text, never markdown, with parameters in braces:
`{name}` is the value, `{n|item|items}` the first word where n is 1 and the second otherwise, `{{` and `}}` are braces.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from bot.texts.clean import clean
from bot.texts.escape import message_mention, safe_text_message
from bot.texts.formatting import left, moment, money
from bot.texts.values import Fen, Instant, Left, Mention, Param, Text

Language: TypeAlias = Literal["zh_cn", "en_us"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
ZONE = "Asia/Shanghai"

_log = logging.getLogger(__name__)
_PLACE = re.compile(r"\{\{|\}\}|\{(\w+)(?:\|([^{}|]*)\|([^{}|]*))?\}")
# Texts are data that lies beside its area. It is found by looking, so that no list of areas stands here.
_HOUSE = Path(__file__).parents[2]
PACKAGED = (_HOUSE / "bot", _HOUSE / "handlers")


class MissingText(LookupError):
    """The catalogue lacks a key, or a sentence was given no value for one of its parameters."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the pieces of a sentence are written for one medium: `own` is the catalogue's text, `words` are hostile."""

    own: Callable[[str], str]
    words: Callable[[str], str]
    mention: Callable[[Mention], str]


PLAIN = Style(own=lambda said: said, words=clean, mention=lambda who: clean(who.name))
MESSAGE = Style(own=lambda said: said, words=safe_text_message, mention=message_mention)


class Catalogue:
    """Sentences of all languages. One that is missing raises `MissingText` when `strict`, else shows as its key."""

    def __init__(self, messages: Mapping[Language, Mapping[str, str]], *, strict: bool = False) -> None:
        self._messages = {language: dict(messages.get(language, {})) for language in LANGUAGES}
        self._strict = strict

    @classmethod
    def load(cls, *folders: Path, strict: bool = False) -> Catalogue:
        """Read every `texts/<language>.po` in and below them. ValueError if one is malformed or two give a key."""
        return cls({language: _read(folders, language) for language in LANGUAGES}, strict=strict)

    def keys(self, language: Language) -> frozenset[str]:
        return frozenset(self._messages[language])

    def template(self, key: str, language: Language) -> str:
        """The sentence before its parameters are filled in."""
        found = self._messages[language].get(key)
        if found is None:
            return self._missing(key, f"{language} has no text {key}")
        return found

    def render(
        self,
        text: Text,
        language: Language,
        *,
        zone: str = ZONE,
        plain_mentions: bool = True,
    ) -> str:
        """The sentence as plain text; people by name.

        With `plain_mentions=False` it is written for a Feishu message of type `text`: people who are to be pinged are,
        and hostile parameters can neither ping nor format.
        """
        return self.write(text, language, PLAIN if plain_mentions else MESSAGE, zone=zone)

    def write(self, text: Text, language: Language, style: Style, *, zone: str = ZONE) -> str:
        """The sentence, each of its pieces written in `style`."""
        written: list[str] = []
        end = 0
        template = self.template(text.key, language)
        for place in _PLACE.finditer(template):
            written.append(style.own(template[end : place.start()]))
            end = place.end()
            written.append(self._piece(place, text, language, style, zone))
        written.append(style.own(template[end:]))
        return "".join(written)

    def _piece(
        self,
        place: re.Match[str],
        text: Text,
        language: Language,
        style: Style,
        zone: str,
    ) -> str:
        name, one, many = place.group(1), place.group(2), place.group(3)
        if name is None:
            return style.own(place.group()[0])
        if name not in text.params:
            return style.own(self._missing(place.group(), f"{text.key} was given no {name}"))
        value = text.params[name]
        if one is not None:
            return style.own(one if value == 1 else many)
        return self._value(value, language, style, zone)

    def _value(self, value: Param, language: Language, style: Style, zone: str) -> str:
        match value:
            case str():
                return style.words(value)
            case Text():
                return self.write(value, language, style, zone=zone)
            case Mention():
                return style.mention(value)
            case Fen():
                return style.own(money(value))
            case Instant():
                return style.own(moment(value, zone))
            case Left():
                return self.write(left(value), language, style, zone=zone)
            case _:
                return style.own(str(value))

    def _missing(self, shown: str, reason: str) -> str:
        if self._strict:
            raise MissingText(reason)
        _log.error("text_missing: %s", reason)
        return shown


def parameters(template: str) -> frozenset[str]:
    """The names of the parameters a sentence asks for."""
    return frozenset(place.group(1) for place in _PLACE.finditer(template) if place.group(1))


def text_files(folders: Iterable[Path], language: Language) -> list[Path]:
    """The files of one language in and below these folders."""
    return [path for folder in folders for path in sorted(folder.rglob(f"texts/{language}.po"))]


def texts_in(path: Path) -> dict[str, str]:
    """What one file says, by key. ValueError where it is malformed or a key has no text."""
    from babel.messages.pofile import read_po  # costs a tenth of a second: only where texts are read

    with path.open("rb") as file:
        entries = read_po(file, abort_invalid=True)
    said: dict[str, str] = {}
    for entry in entries:
        if entry.id == "":
            continue
        if not isinstance(entry.id, str) or not isinstance(entry.string, str) or not entry.string:
            raise ValueError(f"{path}: {entry.id!r} needs one text")
        said[entry.id] = entry.string
    return said


def _read(folders: Iterable[Path], language: Language) -> dict[str, str]:
    said: dict[str, str] = {}
    where: dict[str, Path] = {}
    for path in text_files(folders, language):
        for key, words in texts_in(path).items():
            if key in where:
                raise ValueError(f"{path} and {where[key]} both give {key}")
            said[key], where[key] = words, path
    return said


@lru_cache(maxsize=2)
def catalogue(*, strict: bool = False) -> Catalogue:
    """The packaged catalogue, read once at the first call. Tests ask for it `strict`."""
    return Catalogue.load(*PACKAGED, strict=strict)
