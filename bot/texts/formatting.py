"""Money, moments and spans of time in the words of a language."""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.texts.values import Fen, Instant, Left, Text, text

_STYLES = {"minute": "%m-%d %H:%M", "day": "%Y-%m-%d", "time": "%H:%M"}


@lru_cache(maxsize=4096)
def money(fen: Fen) -> str:
    """`¥1,234.50`, alike in both languages."""
    from babel.numbers import (
        format_currency,
    )  # costs a tenth of a second: only where money is shown

    return format_currency(Decimal(fen.amount) / 100, "CNY", format="¤#,##0.00", locale="zh_CN")


def moment(instant: Instant, zone: str) -> str:
    """A moment on the clock of `zone`. ValueError for a naive time or an unknown style."""
    if instant.at.tzinfo is None:
        raise ValueError("an Instant needs an aware time")
    if instant.style not in _STYLES:
        raise ValueError(f"no such style of an Instant: {instant.style}")
    return instant.at.astimezone(UTC).astimezone(_zone(zone)).strftime(_STYLES[instant.style])


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def left(span: Left) -> Text:
    """A span as a sentence of the catalogue, rounded down: days and hours from two days on, else hours and minutes."""
    minutes = max(span.span, timedelta()) // timedelta(minutes=1)
    hours, minutes_over = divmod(minutes, 60)
    days, hours_over = divmod(hours, 24)
    if days >= 2:
        return text("time.days_hours", days=days, hours=hours_over) if hours_over else text("time.days", days=days)
    if hours:
        return (
            text("time.hours_minutes", hours=hours, minutes=minutes_over)
            if minutes_over
            else text("time.hours", hours=hours)
        )
    return text("time.minutes", minutes=minutes) if minutes else text("time.under_a_minute")
