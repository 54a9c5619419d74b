"""Draws a card as Feishu Card JSON 2.0 that Feishu takes whatever the card holds, with a plain text beside it.

See docs/platforms/feishu.md ("Cards JSON 2.0", "Message limits and rates").
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.cards import blocks, limits, plain
from bot.cards.limits import Limits, Size, ladder, nodes
from bot.cards.text_objects import Json, Sign, TextWriter
from bot.cards.values import Block, Buttons, Card, Form, Menu, Tone
from bot.texts import Catalogue, text

_TEMPLATES = {
    Tone.NEUTRAL: "grey",
    Tone.CALM: "blue",
    Tone.WAITING: "orange",
    Tone.URGENT: "red",
    Tone.GOOD: "green",
}
_ESSENTIAL_BUTTONS = 8


@dataclass(frozen=True, slots=True)
class RenderedCard:
    """`json` for `msg_type` interactive; the plain texts for `msg_type` text; `cut` where not everything is shown."""

    json: str
    plain_zh: str
    plain_en: str
    cut: bool


def render(card: Card, *, sign: Sign, zone: str, catalogue: Catalogue) -> RenderedCard:
    """The card within Feishu's limits: too much is shown shorter. BadCard only where the card is built wrong."""
    drawn, cut = _draw(card, Limits(), sign, zone, catalogue)
    size = _size(drawn)
    if not size.fits:
        drawn, cut = _shrunk(card, size, sign, zone, catalogue)
    return RenderedCard(
        json=_encoded(drawn),
        plain_zh=plain.plain(card, "zh_cn", zone=zone, catalogue=catalogue),
        plain_en=plain.plain(card, "en_us", zone=zone, catalogue=catalogue),
        cut=cut,
    )


def _shrunk(card: Card, size: Size, sign: Sign, zone: str, catalogue: Catalogue) -> tuple[Json, bool]:
    for tighter in ladder(size):
        drawn, cut = _draw(card, tighter, sign, zone, catalogue)
        if _size(drawn).fits:
            return drawn, cut
    # Only a monstrous action value gets here; the header alone always fits.
    return _draw(replace(card, blocks=()), tighter, sign, zone, catalogue)


def _draw(card: Card, allowed: Limits, sign: Sign, zone: str, catalogue: Catalogue) -> tuple[Json, bool]:
    writer = TextWriter(catalogue, zone, sign, allowed)
    elements = [element for block in _allowed(card.blocks, writer) for element in blocks.draw(writer, block)]
    elements = _few(elements, "table", limits.TABLES, writer)
    elements = _few(elements, "chart", limits.CHARTS, writer)
    if writer.left_out:
        elements.append(blocks.note(writer, text("card.cut")))
    drawn: Json = {
        "schema": "2.0",
        "config": {
            "update_multi": True,
            "width_mode": "fill",
            "summary": writer.both(lambda language: writer.line(card.summary or card.title, language, limits.SUMMARY)),
        },
        "header": _header(writer, card),
        "body": {"direction": "vertical", "vertical_spacing": "8px", "elements": elements},
    }
    return drawn, writer.shortened or writer.left_out


def _few(elements: list[Json], tag: str, most: int, writer: TextWriter) -> list[Json]:
    found = [element for element in elements if element["tag"] == tag]
    writer.left_out |= len(found) > most
    return [element for element in elements if element["tag"] != tag or any(element is kept for kept in found[:most])]


def _header(writer: TextWriter, card: Card) -> Json:
    header: Json = {"title": writer.text(card.title, limits.TITLE), "template": _TEMPLATES[card.tone]}
    if card.subtitle is not None:
        header["subtitle"] = writer.text(card.subtitle, limits.SUBTITLE)
    if card.tags:
        writer.shortened |= len(card.tags) > limits.TAGS
        header["text_tag_list"] = [
            {"tag": "text_tag", "text": writer.text(tag.label, limits.TAG), "color": blocks.TAG_COLOURS[tag.tone]}
            for tag in card.tags[: limits.TAGS]
        ]
    return header


def _allowed(given: tuple[Block, ...], writer: TextWriter) -> Iterator[Block]:
    """The blocks there is room for. What can be clicked stays longest: a card nobody can act on is worth nothing."""
    if writer.limits.essentials:
        writer.left_out = True
        found = [button for block in given if isinstance(block, Buttons) for button in block.buttons]
        yield Buttons(tuple(found[:_ESSENTIAL_BUTTONS]))
        return
    room = writer.limits.blocks
    for block in given:
        if not isinstance(block, (Buttons, Menu, Form)):
            room -= 1
            if room < 0:
                writer.left_out = True
                continue
        yield block


def _encoded(drawn: Json) -> str:
    return json.dumps(drawn, ensure_ascii=False, separators=(",", ":"))


def _size(drawn: Json) -> Size:
    return Size(bytes=len(_encoded(drawn).encode()), nodes=nodes(drawn))
