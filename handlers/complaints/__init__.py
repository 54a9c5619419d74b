"""Complaints of customers: read from the channels, answered and finished in time."""

from __future__ import annotations

from adapters.values import ComplaintNotice
from bot.area import Area
from bot.contributions.cards import CardKind
from bot.contributions.events import OnEvent
from bot.contributions.jobs import Job
from bot.contributions.people import OnPersonLeft, OnRightsLost
from bot.contributions.scheduled import Cron, DeadlineKind, Scheduled
from bot.feishu.values import BotAddedToChat
from bot.texts import text
from handlers.complaints import apply_file_tables, cards, home, listing, refund_subject, unfinished
from handlers.complaints.commands import COMMANDS, clicks
from handlers.complaints.deadlines import FINISH, FIRST, remind
from handlers.complaints.digest import DIGEST
from handlers.complaints.jobs import POLL, RETRY_COMPLETE, RETRY_REPLY, SYNC, ComplaintJobs, on_notice
from handlers.complaints.lookup import LOOKUP
from handlers.complaints.permissions import SPECS
from handlers.complaints.service import COMPLETE, SEND_REPLY, Service, hand_back, show_again
from handlers.complaints.sync import PICTURES
from handlers.shared.contributions.push_listeners import OnPush
from handlers.shared.events import RefundMoved, RefundPaid
from handlers.shared.house import House


def area(house: House) -> Area:
    service = Service(house.accounts)
    work = ComplaintJobs(house.units, house.accounts, house.feishu)
    return Area(
        "complaints",
        text("help.area.complaints"),
        (
            *SPECS,
            *COMMANDS,
            *clicks(service),
            CardKind(cards.CARD, cards.draw),
            CardKind(listing.LIST, listing.draw),
            Job(SYNC, work.sync),
            Job(POLL, work.poll),
            Job(PICTURES, work.pictures),
            Job(SEND_REPLY, work.send_reply),
            Job(COMPLETE, work.complete),
            DeadlineKind(FIRST, remind),
            DeadlineKind(FINISH, remind),
            DeadlineKind(RETRY_REPLY, work.retry_reply),
            DeadlineKind(RETRY_COMPLETE, work.retry_complete),
            Scheduled("complaints.poll", Cron(house.zone, minute="*/5"), POLL),
            OnPush(ComplaintNotice, on_notice),
            OnEvent(BotAddedToChat, show_again, place=1),  # after the greeting
            OnEvent(RefundMoved, refund_subject.on_moved),
            OnEvent(RefundPaid, refund_subject.on_paid),
            OnPersonLeft("complaints", hand_back),
            OnRightsLost("complaints", hand_back),
            refund_subject.subject(service),
            home.HOME,
            home.TODO,
            LOOKUP,
            DIGEST,
            *unfinished.EFFECTS,
            unfinished.UNFINISHED,
            *apply_file_tables.TABLES,
            apply_file_tables.CHECK,
        ),
    )
