"""What refunds bring to the house."""

from __future__ import annotations

from bot.part import Part
from bot.schedule import Cron, Scheduled
from bot.unit import Units
from handlers.channels.registry import Channels
from handlers.refunds.jobs import CHECK, FOLLOW, RECOVER, RefundJobs
from handlers.refunds.service import SEND, RefundService
from handlers.refunds.table import clickables


def part(units: Units, channels: Channels, service: RefundService, zone: str) -> Part:
    work = RefundJobs(units, channels)
    return Part(
        clickables=clickables(service),
        jobs={SEND: work.send, CHECK: work.check, RECOVER: work.recover},
        deadlines={FOLLOW: work.follow},
        standing=(Scheduled("refunds.recover", Cron(zone, minute="*/5"), RECOVER),),
    )
