"""What digests bring to the house."""

from __future__ import annotations

from bot.part import Part
from bot.unit import Units
from handlers.digests.table import CARD, COMMANDS, SEND, DigestJobs, draw, scheduled


def part(units: Units, zone: str) -> Part:
    """`zone`: of chats that have none of their own."""
    return Part(
        commands=COMMANDS,
        drawings={CARD: draw},
        jobs={SEND: DigestJobs(units, zone).send},
        sources=(lambda session: scheduled(session, zone),),
    )
