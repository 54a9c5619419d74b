"""Refunds: asked for on an item's card, approved, made once, and followed until the money has arrived."""

from __future__ import annotations

from adapters.values import RefundDetails
from bot.area import Area
from bot.contributions.approvals import Approvable
from bot.contributions.cards import Section
from bot.contributions.jobs import Job
from bot.contributions.permissions import PermissionSpec
from bot.contributions.scheduled import Cron, DeadlineKind, Scheduled
from bot.texts import text
from handlers.refunds import approval_card, card_section, digest, unfinished
from handlers.refunds.clicks import clicks
from handlers.refunds.jobs import CHECK, FOLLOW, RECOVER, RefundJobs, on_told
from handlers.refunds.lookup import LOOKUP
from handlers.refunds.payments import COMPLAINT
from handlers.refunds.service import ACTION, REQUEST, SEND, RefundService
from handlers.shared.contributions.push_listeners import OnPush
from handlers.shared.house import House


def area(house: House) -> Area:
    service = RefundService(house.accounts)
    work = RefundJobs(house.units, house.accounts)
    return Area(
        "refunds",
        text("help.area.refunds"),
        (
            PermissionSpec(REQUEST, ("operator",)),
            *clicks(service),
            Section(COMPLAINT, "refunds", card_section.draw, card_section.hold),
            Approvable(ACTION, approval_card.show, service.decided),
            Job(SEND, work.send),
            Job(CHECK, work.check),
            Job(RECOVER, work.recover),
            DeadlineKind(FOLLOW, work.follow),
            Scheduled("refunds.recover", Cron(house.zone, minute="*/5"), RECOVER),
            OnPush(RefundDetails, on_told),
            digest.DIGEST,
            unfinished.EFFECT,
            LOOKUP,
            unfinished.UNFINISHED,
        ),
    )
