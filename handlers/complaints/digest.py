"""Complaints in the digest of a group."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.card_context import Look
from bot.cards.values import Action, Block, Button, Chart, ChartKind, Items, Note, Tone, Toned, Words
from bot.contributions.digests import DigestBlock, Digested, Figure
from bot.texts import text
from handlers.complaints.listing import item
from storage.areas.complaints import ComplaintFilter, Complaints
from storage.areas.people import People

_SHOWN = 3


def _draw(look: Look, chat: str, day: datetime) -> Digested:
    complaints = Complaints(look.session)
    counts = complaints.counts(chat, day, day + timedelta(days=1))
    overdue, overdue_total = complaints.listed(
        ComplaintFilter(chat_id=chat, overdue_at=look.now), offset=0, limit=_SHOWN
    )
    open_now = complaints.open_count(chat)
    number = text("number", n=overdue_total)
    blocks: list[Block] = []
    if overdue:
        people = People(look.session)
        blocks.append(Items(tuple(item(complaint, people, look) for complaint in overdue)))
        if overdue_total > len(overdue):
            blocks.append(Note(text("card.more", n=overdue_total - len(overdue))))
    week = tuple(_week(complaints, chat, day))
    return Digested(
        now=(
            Figure(text("digest.open"), text("number", n=open_now)),
            Figure(text("digest.overdue"), Toned(number, Tone.URGENT) if overdue_total else number),
        ),
        blocks=tuple(blocks),
        day=(
            Figure(text("digest.arrived"), text("number", n=counts.arrived)),
            Figure(text("digest.answered"), _count(counts.answered, counts.answered_late), place=20),
            Figure(text("digest.finished"), _count(counts.finished, counts.finished_late), place=20),
        ),
        week=(Chart(ChartKind.BAR, text("digest.week"), week),) if any(value for _, value in week) else (),
        buttons=(Button(text("digest.see_open"), Action("home.complaints")),),
        summary=text("digest.summary", arrived=counts.arrived, finished=counts.finished, open=open_now),
        urgent=overdue_total > 0,
    )


def _count(n: int, late: int) -> Words | Toned:
    return Toned(text("digest.with_late", n=n, late=late), Tone.URGENT) if late else text("number", n=n)


def _week(complaints: Complaints, chat: str, day: datetime) -> Iterator[tuple[str, int]]:
    for back in range(6, -1, -1):
        start = day - timedelta(days=back)
        yield start.strftime("%m-%d"), complaints.counts(chat, start, start + timedelta(days=1)).arrived


DIGEST = DigestBlock("complaints", _draw)
