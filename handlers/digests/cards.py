"""The card of a digest: the figures of a day, as every area tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.card_context import Look
from bot.cards.values import Block, Buttons, Card, Facts, Note, Rule, Tone
from bot.contributions.digests import DigestBlock, Digested, Figure
from bot.texts import Instant, Text, text

CARD = "digest"


def draw(look: Look) -> Card:
    """The day's figures. They are of the day and do not change; what is open is said with its moment."""
    params = look.params
    zone = ZoneInfo(str(params["zone"]))
    day = datetime.fromisoformat(str(params["day"])).replace(tzinfo=zone)
    chat = str(params["chat"])
    told = [block.draw(look, chat, day) for block in look.areas.of(DigestBlock)]
    blocks: list[Block] = [_figures(told, lambda one: one.now, large=True)]
    blocks += [block for one in told for block in one.blocks]
    blocks += [Rule(), _figures(told, lambda one: one.day)]
    blocks += [block for one in told for block in one.week]
    buttons = tuple(button for one in told for button in one.buttons)
    if buttons:
        blocks.append(Buttons(buttons))
    blocks.append(Note(text("digest.made", at=Instant(look.now))))
    if (words := _restore_check(params)) is not None:
        blocks.append(Note(words))
    if params.get("anchor"):
        # In a chat it is out of reach of whoever can write the database.
        blocks.append(Note(text("digest.anchor", anchor=str(params["anchor"]))))
    title = text("digest.title", day=Instant(day, "day"))
    summary = next((one.summary for one in told if one.summary is not None), None)
    tone = Tone.URGENT if any(one.urgent for one in told) else Tone.CALM
    return Card(title, tuple(blocks), tone, summary=summary)


def _figures(
    told: Iterable[Digested], which: Callable[[Digested], tuple[Figure, ...]], *, large: bool = False
) -> Facts:
    figures = sorted((figure for one in told for figure in which(one)), key=lambda figure: figure.place)
    return Facts(tuple((figure.label, figure.words) for figure in figures), large=large)


def _restore_check(params: Mapping[str, Any]) -> Text | None:
    """Whether the backups can be relied on, as far as anybody has tried; None where that is no matter yet."""
    proven, failed = params.get("proven"), params.get("drill_failed")
    if failed:
        return text("digest.drill_failed", at=Instant(datetime.fromisoformat(str(failed))))
    if params.get("drill_late"):
        return text("digest.drill_late")
    return text("digest.proven", at=Instant(datetime.fromisoformat(str(proven)))) if proven else None
