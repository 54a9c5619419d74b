"""How long finished rows are kept. Read by the nightly housekeeping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.contributions.base import Contribution
from bot.unit import KEEP, Unit


@dataclass(frozen=True, slots=True)
class Retention(Contribution):
    """`forget` deletes what was finished before that moment."""

    name: str
    forget: Callable[[Unit, datetime], None]
    keep: timedelta = KEEP

    def identifiers(self) -> tuple[str, ...]:
        return (self.name,)
