"""What complaints bring to the house."""

from __future__ import annotations

from bot.feishu.port import Feishu
from bot.feishu.values import BotAddedToChat
from bot.part import Part
from bot.schedule import Cron, Scheduled
from bot.unit import Unit, Units
from handlers.channels.registry import Channels
from handlers.complaints import deadlines, listing, showing
from handlers.complaints.jobs import POLL, RETRY_COMPLETE, RETRY_REPLY, SYNC, ComplaintJobs
from handlers.complaints.service import COMPLETE, SEND_REPLY, Service, show_again
from handlers.complaints.sync import PICTURES
from handlers.complaints.table import COMMANDS, clickables


def part(units: Units, channels: Channels, feishu: Feishu, service: Service, zone: str) -> Part:
    work = ComplaintJobs(units, channels, feishu)
    return Part(
        commands=COMMANDS,
        clickables=clickables(service),
        drawings={showing.CARD: showing.draw, listing.LIST: listing.draw},
        jobs={
            SYNC: work.sync,
            POLL: work.poll,
            PICTURES: work.pictures,
            SEND_REPLY: work.send_reply,
            COMPLETE: work.complete,
        },
        deadlines={
            deadlines.FIRST: deadlines.remind,
            deadlines.FINISH: deadlines.remind,
            RETRY_REPLY: work.retry_reply,
            RETRY_COMPLETE: work.retry_complete,
        },
        standing=(Scheduled("complaints.poll", Cron(zone, minute="*/5"), POLL),),
    )


def after_greeting() -> Part:
    """Put into a group again: what is open there is shown. Apart, for help's greeting comes first."""

    def on_added(unit: Unit, event: BotAddedToChat) -> None:
        show_again(unit, event.chat_id)

    return Part(events={BotAddedToChat: on_added})
