"""Spans of time as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

_SPAN = re.compile(r"(\d+)\s*(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def span(written: str) -> timedelta:
    """`4h`, `90m`, `2d 12h`. Raises ValueError."""
    parts = _SPAN.findall(written)
    if not parts or _SPAN.sub("", written).strip():
        raise ValueError("write it like 90m, 4h or 2d")
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in parts), timedelta())
