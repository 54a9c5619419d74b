"""What approvals bring to the house."""

from __future__ import annotations

from collections.abc import Mapping

from bot.part import Part
from handlers.approvals.cards import Show, drawing
from handlers.approvals.service import CARD, DUE, Approving
from handlers.approvals.table import clickables


def part(approving: Approving, shows: Mapping[str, Show]) -> Part:
    """`shows`: how each action that needs approval is told to an approver."""
    return Part(
        clickables=clickables(approving),
        drawings={CARD: drawing(shows)},
        deadlines={DUE: approving.due},
    )
