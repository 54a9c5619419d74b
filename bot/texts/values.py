"""Texts as values: a key of the catalogue and its parameters. Nothing is put into words before a reader is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Fen:
    """An amount of money in integer fen; shown as ¥12.34."""

    amount: int


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment, aware UTC; shown in the time zone of the reader's chat.

    `style`: "minute" 11-23 09:38, "day" 2026-11-23, "time" 09:38.
    """

    at: datetime
    style: str = "minute"


@dataclass(frozen=True, slots=True)
class Left:
    """A span of time, rounded to what a person would say: 23 小时, 45 分钟; never negative in words."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class Mention:
    """A person of our company, pinged where `ping` is set and named otherwise."""

    open_id: str
    name: str
    ping: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence of the catalogue. `str` parameters are hostile: they are shown as the text they are."""

    key: str
    params: Mapping[str, Param] = field(default_factory=lambda: MappingProxyType({}))

    def __hash__(self) -> int:
        return hash(
            (
                self.key,
                tuple(sorted((name, repr(value)) for name, value in self.params.items())),
            )
        )


Param: TypeAlias = "str | int | Fen | Instant | Left | Mention | Text"


def text(key: str, **params: Param) -> Text:
    return Text(key, MappingProxyType(params))
