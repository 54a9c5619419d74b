"""How long finished rows are kept. Read by the nightly housekeeping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.contributions.base import Named
from bot.unit import KEEP, Unit


@dataclass(frozen=True, slots=True)
class Retention(Named):
    """`forget` deletes what was finished before that moment."""

    forget: Callable[[Unit, datetime], None]
    keep: timedelta = KEEP
