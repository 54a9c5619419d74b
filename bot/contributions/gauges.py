"""Numbers that rows tell, for the metrics page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.contributions.base import Named
from bot.telemetry.gauges import Reading


@dataclass(frozen=True, slots=True)
class Gauge(Named):
    """`read` is asked every ten seconds at most; it must be quick, whatever the size of the tables."""

    read: Callable[[Session, datetime], Iterable[Reading]]
