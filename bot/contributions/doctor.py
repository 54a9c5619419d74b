"""What `mpops doctor` looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.contributions.base import Named


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: where and what was looked at, whether it is well, and what to do if not."""

    area: str
    check: str
    ok: bool
    detail: str
    remedy: str = ""  # read only when `ok` is false


@dataclass(frozen=True, slots=True)
class Check(Named):
    """`examine` reads what was declared and what stands in the rows; it changes nothing."""

    examine: Callable[[Session], Iterable[Finding]]
