"""A card as a value. Handlers build these; only `bot.cards.render` knows what Feishu wants.

`Text` is a sentence of the catalogue (shown in both languages). `str` is somebody's own words: hostile, shown as is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from bot.texts import Text

Words: TypeAlias = Text | str


class Tone(StrEnum):
    """What the colour of a header or tag says."""

    NEUTRAL = "neutral"  # nothing to do
    CALM = "calm"  # in hand
    WAITING = "waiting"  # somebody should act
    URGENT = "urgent"  # a deadline is near or gone
    GOOD = "good"  # done


@dataclass(frozen=True, slots=True)
class Action:
    """What a click asks for. Signed by the renderer and bound to the chat or person it was drawn for.

    `version` is the row version the reader saw: an older one means the card is stale.
    """

    name: str
    subject: str = ""
    version: int = 0
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class ButtonStyle(StrEnum):
    DEFAULT = "default"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Confirm:
    title: Text
    question: Text


@dataclass(frozen=True, slots=True)
class Button:
    """A button; with `url` it opens a page, else it is a click. `why_not` disables it and says why."""

    label: Text
    action: Action | None = None
    style: ButtonStyle = ButtonStyle.DEFAULT
    confirm: Confirm | None = None
    url: str = ""
    why_not: Text | None = None


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: Words


@dataclass(frozen=True, slots=True)
class Input:
    """A text field of a form. `longest` in characters (1 to 1000)."""

    name: str
    label: Text
    placeholder: Text | None = None
    value: str = ""
    lines: int = 1
    longest: int = 1000
    required: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several options, in a form."""

    name: str
    label: Text
    options: tuple[Option, ...]
    chosen: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class PersonChoice:
    """One person: of `people` (open ids), or of all members of the chat when empty."""

    name: str
    label: Text
    people: tuple[str, ...] = ()
    required: bool = True


Field: TypeAlias = Input | Choice | PersonChoice


# --- blocks: what a card's body is made of -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Toned:
    """Words in the colour of a tone."""

    words: Words
    tone: Tone


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph, in the colour of `tone` where one is given."""

    words: Words
    strong: bool = False
    tone: Tone | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Label and value pairs, side by side in two columns where there is room; `large` for what decides."""

    pairs: tuple[tuple[Text, Words | Toned], ...]
    large: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's own words, cut at `longest` characters with "see more" said where it was cut."""

    words: str
    longest: int = 300
    author: Words | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Small grey print."""

    words: Words


@dataclass(frozen=True, slots=True)
class Warning:
    """Something the reader must not miss."""

    words: Words


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""


@dataclass(frozen=True, slots=True)
class Buttons:
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Menu:
    """A choice outside a form: choosing is the click; the chosen value arrives as the click's option."""

    placeholder: Text
    options: tuple[Option, ...]
    action: Action
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Fields sent together by `submit`. `others` are buttons beside it that do not need the fields."""

    name: str
    fields: tuple[Field, ...]
    submit: Button
    others: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    title: Text


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of words, at most 10 shown a page. Buttons do not fit in tables: see `Items`."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Words, ...], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list: a title, somebody's words or nothing, a line of small facts, and a button at its right."""

    title: Words
    detail: Words | Toned | None = None
    button: Button | None = None
    tag: Tag | None = None
    words: Words | None = None


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """A part that is folded away until opened."""

    title: Text
    blocks: tuple[Block, ...]
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Pictures:
    """Image keys that Feishu gave for uploads."""

    keys: tuple[str, ...]


class ChartKind(StrEnum):
    BAR = "bar"
    LINE = "line"
    PIE = "pie"


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of (label, value) pairs; the plain text lists them."""

    kind: ChartKind
    title: Text
    values: tuple[tuple[Words, int], ...]


Block: TypeAlias = (
    Line | Facts | Quote | Note | Warning | Rule | Buttons | Menu | Form | Table | Items | Fold | Pictures | Chart
)


@dataclass(frozen=True, slots=True)
class Tag:
    label: Text
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True, slots=True)
class Card:
    """`summary` is what the chat list and the notification on the phone show.

    `stale_at`: when the card stops being true by the passing of time alone, and wants to be drawn again.
    """

    title: Text
    blocks: tuple[Block, ...]
    tone: Tone = Tone.CALM
    subtitle: Words | None = None
    tags: tuple[Tag, ...] = ()
    summary: Text | None = None
    stale_at: datetime | None = None
