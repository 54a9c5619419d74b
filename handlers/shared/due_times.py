"""When somebody is reminded of a due time, and how the time left is told."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.cards.values import Tone
from bot.texts import Instant as At
from bot.texts import Left, Text, text

REMINDERS = (timedelta(hours=4), timedelta(hours=1), timedelta(0))  # before the due time
SOON = timedelta(hours=1)
NEAR = REMINDERS[0]


def next_reminder(due: datetime, now: datetime) -> datetime | None:
    """The next moment when somebody must be told; None when the due time has passed and was told."""
    for before in REMINDERS:
        if due - before > now:
            return due - before
    return None


def urgency(due: datetime, now: datetime) -> Tone | None:
    """The colour of a deadline: none while there is time."""
    left = due - now
    return Tone.URGENT if left <= SOON else Tone.WAITING if left <= NEAR else None


def until_changed(due: datetime, now: datetime) -> datetime:
    """When the words or the colour of a deadline change next."""
    steps = (due - before for before in (NEAR, SOON, timedelta(0)))
    return min([countdown(due, now)[1], *(step for step in steps if step > now)])


def countdown(due: datetime, now: datetime) -> tuple[Text, datetime]:
    """The time left in words that stay true for a while, and until when.

    Hours are told while there are many, minutes when there are few: every change of words is a call to Feishu.
    """
    left = due - now
    late = left < timedelta(0)
    span = abs(left)
    step = _step(span)
    shown = step * max(1, round(span / step))
    # The words change when the span crosses the middle between two steps.
    if late:
        until = due + shown + step / 2
        return text("complaint.overdue_by", span=Left(shown), due=At(due)), max(until, now + timedelta(seconds=30))
    until = due - shown + step / 2
    return text("complaint.left", span=Left(shown), due=At(due)), max(until, now + timedelta(seconds=30))


def brief(due: datetime, now: datetime) -> Text:
    """The time left without the moment, for lists."""
    span = countdown(due, now)[0].params["span"]
    return text("complaint.overdue_brief" if due < now else "complaint.left_brief", span=span)


def _step(span: timedelta) -> timedelta:
    if span > timedelta(hours=2):
        return timedelta(hours=1)
    if span > timedelta(minutes=20):
        return timedelta(minutes=10)
    return timedelta(minutes=1)
