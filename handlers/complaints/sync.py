"""Bringing a complaint as the channel tells it together with what we know of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from adapters.values import Author, ComplaintDetails, ComplaintState, HistoryEntry
from bot.jobs.engine import channel_queue
from bot.texts import text
from bot.unit import Unit, to_chat, to_person
from handlers.complaints import deadlines
from handlers.complaints.cards import CARD
from handlers.complaints.states import Event, advance
from handlers.shared.phrases import ping
from storage.areas.complaints import Complaint, Complaints, Entry, Progress
from storage.areas.configuration import ComplaintRoute

log = structlog.get_logger("complaints")

PICTURES = "complaint.pictures"


def merge(
    unit: Unit,
    account_key: str,
    channel: str,
    told: ComplaintDetails,
    history: Sequence[HistoryEntry],
    read_at: datetime,
) -> Complaint:
    """Store what is new, move the complaint on, and make its cards show it. Telling the same twice changes nothing.

    `read_at` is when the reading began: one that began before a newer one was stored is old news and is left out.
    """
    complaints = unit.of(Complaints)
    complaint = complaints.by_external(account_key, told.id, lock=True)
    if complaint is None:
        return _arrived(unit, complaints, account_key, channel, told, history)
    # A time still to come was noted by a clock that has jumped back since, and says nothing.
    if read_at < complaint.synced_at <= unit.look_at_the_clock():
        return complaint
    before, version = _picture(complaint), complaint.row_version
    if told.times > complaint.times:
        _again(unit, complaint, told, history)
    complaints.told(
        complaint, times=max(complaint.times, told.times), remote_state=told.raw_state[:64],
        user_waits=told.user_waits, platform_assists=told.platform_assists, immediate=told.immediate_service,
        fully_refunded=told.fully_refunded, requested_refund_fen=told.requested_refund_fen,
    )  # fmt: skip
    if list(told.picture_urls) != complaint.picture_urls:
        complaint.picture_urls = list(told.picture_urls)
        _want_pictures(unit, complaint, channel)
    fresh = _remember(complaints, complaint, history, complaints.entry_ids(complaint.id))
    _follow(unit, complaint, told, history)
    unit.session.flush()
    complaints.synced(complaint, read_at)
    # Buttons carry the version, so a card of an older one is old even where its words are the same.
    if fresh or before != _picture(complaint) or version != complaint.row_version:
        unit.refresh(CARD, str(complaint.id))
    for entry in fresh:
        if entry.author is Author.CUSTOMER and entry.kind != "USER_CREATE_COMPLAINT":
            _customer_wrote(unit, complaint)
            break
    return complaint


def _arrived(
    unit: Unit,
    complaints: Complaints,
    account_key: str,
    channel: str,
    told: ComplaintDetails,
    history: Sequence[HistoryEntry],
) -> Complaint:
    route = unit.configuration.route(account_key) or ComplaintRoute(account_key=account_key, program_key="", chat_id="")
    order = told.orders[0] if told.orders else None
    finished = told.state is ComplaintState.PROCESSED
    complaint = complaints.add(
        Complaint(
            account_key=account_key,
            external_id=told.id,
            program_key=route.program_key,
            chat_id=route.chat_id,
            progress=Progress.FINISHED if finished else Progress.WAITING,
            remote_state=told.raw_state[:64],
            words=told.text,
            problem=told.problem,
            problem_type=told.problem_type[:64],
            merchant_id=told.merchant_id[:64],
            transaction_id=order.transaction_id[:64] if order else "",
            out_trade_no=order.out_trade_no[:64] if order else "",
            amount_fen=order.amount_fen if order else 0,  # one complaint has one order (【消费者投诉API】常见问题)
            requested_refund_fen=told.requested_refund_fen,
            phone=told.payer_phone,
            phone_index=told.payer_phone,
            openid=told.payer_openid,
            openid_index=told.payer_openid,
            complained_at=told.created_at,
            times=told.times,
            user_waits=told.user_waits,
            platform_assists=told.platform_assists,
            immediate=told.immediate_service,
            fully_refunded=told.fully_refunded,
            picture_urls=list(told.picture_urls),
            picture_keys=[],
            first_reply_due=told.created_at + deadlines.FIRST_REPLY_WITHIN,
            finish_due=told.created_at + deadlines.FINISH_WITHIN,
            finished_at=unit.now if finished else None,
            synced_at=unit.now,
        )
    )
    _remember(complaints, complaint, history, set())
    if told.state is ComplaintState.PROCESSING:
        _mark_replied(unit, complaint, _first_answer(history) or unit.now)
    unit.audit(
        "complaint.arrived", f"complaint:{complaint.id}", None, number=complaint.number, fen=complaint.amount_fen
    )
    if finished:
        return complaint  # history from before mpops was set up: kept, but nobody is bothered
    deadlines.start(unit, complaint)
    if complaint.chat_id:
        unit.send_card(CARD, str(complaint.id), to_chat(complaint.chat_id))
    else:
        _nobody_responsible(unit, complaint)
    _want_pictures(unit, complaint, channel)
    return complaint


def _nobody_responsible(unit: Unit, complaint: Complaint) -> None:
    """No group is declared for this account: the administrators get the card, so that no deadline is missed."""
    log.error("complaint.no_route", account=complaint.account_key, complaint=complaint.number)
    for admin in unit.people.holding("admin", "*"):
        unit.send_card(CARD, str(complaint.id), to_person(admin.open_id))


def _again(unit: Unit, complaint: Complaint, told: ComplaintDetails, history: Sequence[HistoryEntry]) -> None:
    """The customer complains again: both times start anew (docs/platforms/wechatpay.md, "Due times")."""
    moments = [entry.at for entry in history if entry.kind == "USER_CONTINUE_COMPLAINT"]
    since = max(moments, default=unit.now)
    complaint.progress = advance(Progress(complaint.progress), Event.CONTINUED) or complaint.progress
    complaint.first_reply_due, complaint.finish_due = (
        since + deadlines.FIRST_REPLY_WITHIN,
        since + deadlines.FINISH_WITHIN,
    )
    complaint.first_replied_at = complaint.finished_at = None
    claimer = unit.people.by_id(complaint.claimed_by) if complaint.claimed_by else None
    if claimer is not None and not claimer.is_active:
        complaint.claimed_by = complaint.claimed_at = None
    deadlines.start(unit, complaint)
    unit.audit("complaint.again", f"complaint:{complaint.id}", None, number=complaint.number, times=told.times)
    if complaint.chat_id:
        unit.send_text(to_chat(complaint.chat_id), text("complaint.again", number=complaint.number, times=told.times))


def _follow(unit: Unit, complaint: Complaint, told: ComplaintDetails, history: Sequence[HistoryEntry]) -> None:
    """Move our progress to where the channel says the complaint is."""
    progress = Progress(complaint.progress)
    if told.state is ComplaintState.PROCESSED and (target := advance(progress, Event.FINISHED)) is not None:
        complaint.progress, complaint.finished_at = target, unit.now
        deadlines.stop(unit, complaint)
        unit.audit("complaint.finished", f"complaint:{complaint.id}", None, number=complaint.number)
    elif told.state is ComplaintState.PROCESSING:
        if complaint.first_replied_at is None:
            _mark_replied(unit, complaint, _first_answer(history, complaint.complained_at) or unit.now)
        if (target := advance(progress, Event.REOPENED)) is not None:
            complaint.progress, complaint.finished_at = target, None
            deadlines.start(unit, complaint)


def _mark_replied(unit: Unit, complaint: Complaint, at: datetime) -> None:
    target = advance(Progress(complaint.progress), Event.REPLIED)
    if target is not None:
        complaint.progress = target
        complaint.first_replied_at = complaint.first_replied_at or at
        deadlines.answered(unit, complaint)


def _first_answer(history: Sequence[HistoryEntry], since: datetime | None = None) -> datetime | None:
    answers = [
        entry.at for entry in history if entry.author is Author.MERCHANT and (since is None or entry.at >= since)
    ]
    return min(answers, default=None)


def _remember(
    complaints: Complaints, complaint: Complaint, history: Sequence[HistoryEntry], known: set[str]
) -> list[HistoryEntry]:
    """Store what is not among the `known` ids, and give it back."""
    fresh: list[HistoryEntry] = []
    for entry in history:
        if entry.id[:200] not in known:
            known.add(entry.id[:200])
            fresh.append(entry)
    rows = [Entry(entry.id[:200], entry.at, entry.author, entry.kind[:200], entry.text) for entry in fresh]
    complaints.add_entries(complaint.id, rows)
    return fresh


def _customer_wrote(unit: Unit, complaint: Complaint) -> None:
    """Ping whoever handles it; the card itself shows what was written."""
    claimer = unit.people.by_id(complaint.claimed_by) if complaint.claimed_by else None
    if claimer is not None and complaint.chat_id and complaint.is_open:
        unit.send_text(
            to_chat(complaint.chat_id),
            text("complaint.customer_wrote", who=ping(claimer), number=complaint.number),
        )


def _want_pictures(unit: Unit, complaint: Complaint, channel: str) -> None:
    if complaint.picture_urls:
        id = f"pictures-{complaint.id}-{len(complaint.picture_urls)}-{complaint.row_version}"
        unit.enqueue(PICTURES, id, {"id": complaint.id}, queue=channel_queue(channel))


def _picture(complaint: Complaint) -> tuple[object, ...]:
    """What of a complaint stands on its card."""
    return (
        complaint.progress, complaint.remote_state, complaint.user_waits, complaint.times, complaint.fully_refunded,
        complaint.requested_refund_fen, complaint.platform_assists, complaint.finished_at, complaint.claimed_by,
    )  # fmt: skip
