"""Reading what a person typed: command word and arguments, whatever the keyboard made of them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from bot.errors import Refused
from bot.texts import text

# Quotes of any style, opening to closing. A closing one of another style also ends a quotation: phones mix them.
_OPENING = {'"': '"', "'": "'", "“": "”", "‘": "’", "「": "」", "『": "』", "«": "»", "„": "“"}
_CLOSING = set(_OPENING.values()) | set(_OPENING)
_WIDE_SPACES = {"\u3000", "\u00a0", "\u2002", "\u2003", "\u2009"}


@dataclass(frozen=True, slots=True)
class Typed:
    """`word` is in lower case without the slash; `slash` says whether one was typed."""

    word: str
    arguments: tuple[str, ...]
    slash: bool


def plain(words: str) -> str:
    """Full-width letters, digits and signs as their usual forms; controls and zero-width characters gone."""
    kept = (
        " " if character in _WIDE_SPACES or character in "\t\r\n" else character
        for character in words
        if character in "\t\r\n" or unicodedata.category(character) not in ("Cc", "Cf")
    )
    return unicodedata.normalize("NFKC", "".join(kept)).strip()


def split(words: str) -> list[str]:
    """Split at spaces, keeping quoted parts whole. Raises Refused for a quotation that never ends."""
    parts: list[str] = []
    current: list[str] = []
    quoted, started = "", False
    for place, character in enumerate(words):
        if quoted:
            if character == quoted or (quoted not in "\"'" and character in _CLOSING):
                quoted = ""
            else:
                current.append(character)
        elif character in _OPENING and not current:
            # An apostrophe inside a word (don't) is a letter; a quotation starts a word.
            quoted, started = _OPENING[character], True
        elif character.isspace():
            if current or started:
                parts.append("".join(current))
            current, started = [], False
        else:
            current.append(character)
        if quoted and place == len(words) - 1:
            raise Refused(text("command.quote_open"))
    if current or started:
        parts.append("".join(current))
    return parts


def read(words: str) -> Typed:
    """Raises Refused when it cannot be read. An empty message gives an empty word."""
    cleaned = plain(words)
    slash = cleaned.startswith(("/", "\\", "、"))  # some input methods turn / into 、
    if slash:
        cleaned = cleaned[1:].lstrip()
    parts = split(cleaned)
    if not parts:
        return Typed("", (), slash)
    return Typed(parts[0].casefold().lstrip("/"), tuple(parts[1:]), slash)
