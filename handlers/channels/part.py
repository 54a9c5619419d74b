"""What the accounts on the channels bring to the house."""

from __future__ import annotations

from bot.part import Part
from bot.schedule import Cron, Scheduled
from handlers.channels.registry import Channels

REFRESH = "channels.refresh"


def part(channels: Channels, zone: str) -> Part:
    return Part(
        jobs={REFRESH: lambda payload: channels.refresh()},
        standing=(Scheduled(REFRESH, Cron(zone, minute="7"), REFRESH),),
    )
