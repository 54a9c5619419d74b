"""The daily digest of a group: subscribed from chat, sent in the morning, drawn from the books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from bot.cards.values import (
    Action,
    Block,
    Button,
    Buttons,
    Card,
    Chart,
    ChartKind,
    Facts,
    Items,
    Note,
    Rule,
    Tone,
    Toned,
    Words,
)
from bot.drawing import Look
from bot.engine import Payload
from bot.permissions import Permission
from bot.refusals import Refused
from bot.router import Asked, Command
from bot.schedule import Cron, Scheduled
from bot.texts import Fen, Instant, Text, text
from bot.unit import Unit, Units, to_chat
from handlers.complaints.listing import item
from storage.audit import Audit
from storage.backup_history import standing
from storage.complaints import ComplaintFilter, Complaints
from storage.digests import Subscription, Subscriptions
from storage.people import People
from storage.refunds import Refunds
from storage.setup import Setup

DAILY = "digest.daily"
SEND = "digest.send"
CARD = "digest"
DEFAULT_TIME = "09:00"
_NAMES = {"日报": DAILY, "daily": DAILY, "digest": DAILY}


class SubscribeArguments(BaseModel):
    digest: str = Field(default="日报", title="摘要", max_length=20)
    at: str = Field(default=DEFAULT_TIME, title="时间", max_length=10)


class UnsubscribeArguments(BaseModel):
    digest: str = Field(default="日报", title="摘要", max_length=20)


def subscribe(unit: Unit, asked: Asked, arguments: SubscribeArguments) -> None:
    kind, given = arguments.digest, arguments.at
    if ":" in kind and kind.replace(":", "").isdigit():  # /订阅 09:30
        kind, given = "日报", kind
    chat = _group(asked)
    at = _time(given)
    Subscriptions(unit.session).set(_kind(kind), chat, at.hour, at.minute, at=unit.now, source="chat")
    unit.audit("digest.subscribed", f"chat:{chat}", asked.actor, time=at.strftime("%H:%M"))
    unit.say(asked.chat, text("digest.subscribed", time=at.strftime("%H:%M")), reply_to=asked.message_id)


def unsubscribe(unit: Unit, asked: Asked, arguments: UnsubscribeArguments) -> None:
    subscriptions = Subscriptions(unit.session)
    row = subscriptions.get(_kind(arguments.digest), _group(asked))
    if row is None:
        raise Refused(text("digest.not_subscribed"))
    subscriptions.remove(row)
    unit.audit("digest.unsubscribed", f"chat:{asked.chat_id}", asked.actor)
    unit.say(asked.chat, text("digest.unsubscribed"), reply_to=asked.message_id)


def _group(asked: Asked) -> str:
    if not asked.is_group:
        raise Refused(text("digest.only_groups"))
    return asked.chat_id


def _kind(name: str) -> str:
    found = _NAMES.get(name.casefold())
    if found is None:
        raise Refused(text("digest.unknown", given=name))
    return found


def _time(given: str) -> time:
    parts = given.replace("点", ":").replace(".", ":").rstrip(":").split(":")
    try:
        return time(int(parts[0]), int(parts[1]) if len(parts) > 1 else 0)
    except ValueError:
        raise Refused(text("digest.time_unreadable", given=given)) from None


def scheduled(session: Session, default_zone: str) -> Iterable[Scheduled]:
    """One daily job for each subscription, in the time zone of its chat."""
    setup = Setup(session)
    for row in Subscriptions(session).all():
        chat = setup.chat(row.chat_id)
        zone = chat.zone if chat is not None else default_zone
        cron = Cron(zone, hour=str(row.hour), minute=str(row.minute))
        yield Scheduled(f"{row.kind}-{row.chat_id}-{row.id}", cron, SEND, row.since, {"id": row.id})


@dataclass(frozen=True, slots=True)
class DigestJobs:
    units: Units
    default_zone: str

    def send(self, payload: Payload) -> None:
        """Put yesterday's digest into the chat, once for each day."""
        at = datetime.fromisoformat(payload["at"])
        with self.units.write(f"digest-{payload['id']}-{payload['at']}") as unit:
            row = unit.session.get(Subscription, payload["id"])
            if row is None:
                return
            chat = unit.setup.chat(row.chat_id)
            zone = ZoneInfo(chat.zone if chat is not None else self.default_zone)
            day = (at.astimezone(zone) - timedelta(days=1)).date()
            subject = f"{row.chat_id}:{day.isoformat()}"[:64]
            if not unit.has_card(CARD, subject, to_chat(row.chat_id)):
                drilled = standing(unit.session, unit.now)
                params = {
                    "chat": row.chat_id, "day": day.isoformat(), "zone": zone.key, "made": unit.now.isoformat(),
                    "anchor": Audit(unit.session, b"").anchor(),
                    "proven": drilled.good_at.isoformat() if drilled.good_at else None,
                    "drill_failed": drilled.failed_at.isoformat() if drilled.failed_at else None,
                    "drill_late": drilled.is_late,
                }  # fmt: skip
                unit.post(CARD, subject, to_chat(row.chat_id), params=params)


def draw(look: Look) -> Card:
    """The day's figures. They are of the day and do not change; what is open is said with its moment."""
    params = look.params
    zone = ZoneInfo(str(params["zone"]))
    day = datetime.fromisoformat(str(params["day"])).replace(tzinfo=zone)
    chat = str(params["chat"])
    until = day + timedelta(days=1)
    complaints = Complaints(look.session)
    counts = complaints.counts(chat, day, until)
    refunds, paid = Refunds(look.session).paid_in_chat(chat, day, until)
    overdue, overdue_total = complaints.listed(ComplaintFilter(chat_id=chat, overdue_at=look.now), offset=0, limit=3)
    number = text("number", n=overdue_total)
    now_pairs: tuple[tuple[Text, Words | Toned], ...] = (
        (text("digest.open"), text("number", n=complaints.open_count(chat))),
        (text("digest.overdue"), Toned(number, Tone.URGENT) if overdue_total else number),
    )
    day_pairs: tuple[tuple[Text, Words | Toned], ...] = (
        (text("digest.arrived"), text("number", n=counts.arrived)),
        (text("digest.refunds"), text("digest.refund_sum", n=refunds, amount=Fen(paid)) if refunds else _count(0, 0)),
        (text("digest.answered"), _count(counts.answered, counts.answered_late)),
        (text("digest.finished"), _count(counts.finished, counts.finished_late)),
    )
    blocks: list[Block] = [Facts(now_pairs, large=True)]
    if overdue:
        people = People(look.session)
        blocks.append(Items(tuple(item(complaint, people, look) for complaint in overdue)))
        if overdue_total > len(overdue):
            blocks.append(Note(text("card.more", n=overdue_total - len(overdue))))
    blocks += [Rule(), Facts(day_pairs)]
    week = tuple(_week(complaints, chat, day))
    if any(value for _, value in week):
        blocks.append(Chart(ChartKind.BAR, text("digest.week"), week))
    blocks.append(Buttons((Button(text("digest.see_open"), Action("home.complaints")),)))
    blocks.append(Note(text("digest.made", at=Instant(look.now))))
    if (words := _drill(params)) is not None:
        blocks.append(Note(words))
    if params.get("anchor"):
        # In a chat it is out of reach of whoever can write the database.
        blocks.append(Note(text("digest.anchor", anchor=str(params["anchor"]))))
    title = text("digest.title", day=Instant(day, "day"))
    summary = text("digest.summary", arrived=counts.arrived, finished=counts.finished, open=complaints.open_count(chat))
    return Card(title, tuple(blocks), Tone.URGENT if overdue_total else Tone.CALM, summary=summary)


def _drill(params: Mapping[str, Any]) -> Text | None:
    """Whether the backups can be relied on, as far as anybody has tried; None where that is no matter yet."""
    proven, failed = params.get("proven"), params.get("drill_failed")
    if failed:
        return text("digest.drill_failed", at=Instant(datetime.fromisoformat(str(failed))))
    if params.get("drill_late"):
        return text("digest.drill_late")
    return text("digest.proven", at=Instant(datetime.fromisoformat(str(proven)))) if proven else None


def _count(n: int, late: int) -> Words | Toned:
    return Toned(text("digest.with_late", n=n, late=late), Tone.URGENT) if late else text("number", n=n)


def _week(complaints: Complaints, chat: str, day: datetime) -> Iterable[tuple[str, int]]:
    for back in range(6, -1, -1):
        start = day - timedelta(days=back)
        yield start.strftime("%m-%d"), complaints.counts(chat, start, start + timedelta(days=1)).arrived


COMMANDS = (
    Command(
        ("订阅", "subscribe"),
        Permission.DIGEST_MANAGE,
        SubscribeArguments,
        subscribe,
        text("help.subscribe"),
        ("/订阅 日报 09:00",),
        "digests",
    ),
    Command(
        ("退订", "unsubscribe"),
        Permission.DIGEST_MANAGE,
        UnsubscribeArguments,
        unsubscribe,
        text("help.unsubscribe"),
        ("/退订 日报",),
        "digests",
    ),
)
