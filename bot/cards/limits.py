"""What Feishu takes in one card, and in which order a card that is too big gives way.

See docs/platforms/feishu.md ("Message limits and rates", "Cards JSON 2.0", "Card components").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

BYTES = 28_000  # Feishu takes 30 KB of request; the rest is for the envelope
NODES = 195  # Feishu takes 200 and does not say what exactly it counts
TABLES = 5
CHARTS = 5
TITLE = 100
SUBTITLE = 60
SUMMARY = 100
TAG = 20
TAGS = 3
LABEL = 60
BUTTON = 30
OPTION = 60
PLACEHOLDER = 100
TIP = 100
CELL = 200
COLUMNS = 50
QUESTION = 300
INPUT = 1000
PICTURES = 9
PAGE = 10
QUOTED_LINES = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each kind a card shows: letters of quotes and of other words, entries of lists, folds, blocks."""

    quote: int = 2000
    words: int = 2000
    items: int = 60
    rows: int = 100
    options: int = 100
    folds: bool = True
    blocks: int = 1000
    essentials: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    bytes: int
    nodes: int

    @property
    def fits(self) -> bool:
        return self.bytes <= BYTES and self.nodes <= NODES


def ladder(first: Size) -> Iterator[Limits]:
    """Ever tighter limits for a card that measured `first`: quotes and words, list entries, folds, blocks, essentials.

    Where only the count of nodes is too high, words stay as long as they were.
    """
    limits = Limits()
    if first.bytes > BYTES:
        for quote, words in ((600, 2000), (300, 1000), (150, 500), (80, 200)):
            limits = replace(limits, quote=quote, words=words)
            yield limits
    for items, rows, options in ((30, 50, 50), (20, 30, 30), (12, 20, 20), (8, 15, 15), (5, 10, 10), (3, 5, 8)):
        limits = replace(limits, items=items, rows=rows, options=options)
        yield limits
    limits = replace(limits, folds=False)
    yield limits
    for blocks in (40, 25, 15, 8):
        limits = replace(limits, blocks=blocks, quote=40, words=60)
        yield limits
    yield replace(limits, essentials=True)


def nodes(value: object) -> int:
    """Everything with a `tag`, texts and options included: the strictest reading of Feishu's "components"."""
    if isinstance(value, dict):
        return ("tag" in value) + sum(nodes(part) for part in value.values())
    if isinstance(value, list):
        return sum(nodes(part) for part in value)
    return 0
