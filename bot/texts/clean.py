"""Hostile text made harmless to look at: what hides, reorders or overpaints other text goes, what is said stays.

Nothing here knows markdown; `bot.texts.escape` and `bot.cards.escape` build on it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

_NEWLINES = {
    "\r": "\n",
    "\v": "\n",
    "\f": "\n",
    "\x85": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
}
_EMPTY_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # drawn as nothing, yet not of class Cf
_JOINER = "\u200d"
_MARKS_KEPT = 3
_CLUSTER_LONGEST = 12


def clean(words: str) -> str:
    """The same words without controls, direction changes, invisible letters and piled-up accents; newlines stay.

    Other controls become their pictures (`␀`), tabs a space, and half surrogates U+FFFD, so that the result always
    encodes. A joiner survives only inside an emoji.
    """
    return words if words.isascii() and words.isprintable() else _clean(words)


@lru_cache(maxsize=128)  # a card that is too big is drawn several times, with the same long words
def _clean(words: str) -> str:
    kept: list[str] = []
    marks = 0
    for letter in words.replace("\r\n", "\n"):
        kind = unicodedata.category(letter)
        if kind in ("Mn", "Me"):
            marks += 1
            if marks > _MARKS_KEPT or letter in _EMPTY_LETTERS or letter >= "\U000e0100":
                continue
        else:
            marks = 0
        kept.append(_shown(letter, kind, kept))
    return "".join(kept).rstrip(_JOINER)


def _shown(letter: str, kind: str, before: list[str]) -> str:
    if letter == "\n" or letter in _NEWLINES:
        return "\n"
    if letter == "\t":
        return " "
    if letter == _JOINER:
        return letter if before and _pictographic(before[-1]) else ""
    if kind == "Cc":
        return chr(0x2400 + ord(letter)) if letter < " " else "\u2421" if letter == "\x7f" else ""
    if kind == "Cf" or letter in _EMPTY_LETTERS:
        return ""
    if kind == "Cs":
        return "\ufffd"
    if kind == "Zs":
        return " "
    return letter


def _pictographic(letter: str) -> bool:
    return letter == "\ufe0f" or (letter != "" and letter >= "\u2190" and unicodedata.category(letter) in ("So", "Sk"))


def clusters(words: str) -> Iterator[str]:
    """The letters as a reader counts them: accents, skin tones, flags and joined emoji stay in one piece."""
    piece = ""
    flag_open = False
    for letter in words:
        joined = _extends(letter) or (piece.endswith(_JOINER) and not letter.isspace()) or (flag_open and _flag(letter))
        if piece and joined and len(piece) < _CLUSTER_LONGEST:
            piece += letter
            flag_open = False
        else:
            if piece:
                yield piece
            piece = letter
            flag_open = _flag(letter)
    if piece:
        yield piece


def _extends(letter: str) -> bool:
    return (
        letter == _JOINER
        or "\U0001f3fb" <= letter <= "\U0001f3ff"
        or "\u1161" <= letter <= "\u11ff"
        or (letter > "\u02ff" and unicodedata.category(letter) in ("Mn", "Mc", "Me"))
    )


def _flag(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def cut(words: str, longest: int, *, ending: str = "…") -> tuple[str, bool]:
    """At most `longest` letters of cleaned words, `ending` included where something was cut; and whether it was."""
    if len(words) <= longest:
        return words, False
    letters = list(islice(clusters(words), longest + 1))
    if len(letters) <= longest:
        return words, False
    return "".join(letters[: max(longest - len(ending), 0)]).rstrip() + ending, True


def one_line(words: str) -> str:
    """Cleaned words with every run of white space as one space."""
    return " ".join(clean(words).split())
