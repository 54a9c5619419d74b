"""The daily digest of a group: subscribed from chat, sent in the morning, drawn from the books."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from bot.cards.values import Block, Buttons, Card, Facts, Note, Rule, Tone
from bot.contributions.digests import DigestBlock, Digested, Figure
from bot.contributions.permissions import Permission
from bot.contributions.routing import Asked, Command
from bot.contributions.scheduled import Cron, Scheduled
from bot.drawing import Look
from bot.errors import Refused
from bot.jobs.engine import Payload
from bot.texts import Instant, Text, text
from bot.unit import Unit, Units, to_chat
from storage.areas.configuration import Configuration
from storage.areas.digests import Subscription, Subscriptions
from storage.backups.history import standing
from storage.core.audit import Audit

DAILY = "digest.daily"
SEND = "digest.send"
MANAGE = Permission("digest.manage")
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
    unit.of(Subscriptions).set(_kind(kind), chat, at.hour, at.minute, at=unit.now, source="chat")
    unit.audit("digest.subscribed", f"chat:{chat}", asked.actor, time=at.strftime("%H:%M"))
    unit.send_text(asked.chat, text("digest.subscribed", time=at.strftime("%H:%M")), reply_to=asked.message_id)


def unsubscribe(unit: Unit, asked: Asked, arguments: UnsubscribeArguments) -> None:
    subscriptions = unit.of(Subscriptions)
    row = subscriptions.get(_kind(arguments.digest), _group(asked))
    if row is None:
        raise Refused(text("digest.not_subscribed"))
    subscriptions.remove(row)
    unit.audit("digest.unsubscribed", f"chat:{asked.chat_id}", asked.actor)
    unit.send_text(asked.chat, text("digest.unsubscribed"), reply_to=asked.message_id)


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
    configuration = Configuration(session)
    for row in Subscriptions(session).all():
        chat = configuration.chat(row.chat_id)
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
            chat = unit.configuration.chat(row.chat_id)
            zone = ZoneInfo(chat.zone if chat is not None else self.default_zone)
            day = (at.astimezone(zone) - timedelta(days=1)).date()
            subject = f"{row.chat_id}:{day.isoformat()}"[:64]
            if not unit.has_card(CARD, subject, to_chat(row.chat_id)):
                restore_check = standing(unit.session, unit.now)
                params = {
                    "chat": row.chat_id, "day": day.isoformat(), "zone": zone.key, "made": unit.now.isoformat(),
                    "anchor": Audit(unit.session, b"").anchor(),
                    "proven": restore_check.good_at.isoformat() if restore_check.good_at else None,
                    "drill_failed": restore_check.failed_at.isoformat() if restore_check.failed_at else None,
                    "drill_late": restore_check.is_late,
                }  # fmt: skip
                unit.send_card(CARD, subject, to_chat(row.chat_id), params=params)


def draw(look: Look) -> Card:
    """The day's figures. They are of the day and do not change; what is open is said with its moment."""
    params = look.params
    zone = ZoneInfo(str(params["zone"]))
    day = datetime.fromisoformat(str(params["day"])).replace(tzinfo=zone)
    chat = str(params["chat"])
    told = [block.draw(look, chat, day) for block in look.areas.of(DigestBlock)]
    blocks: list[Block] = [_figures(told, lambda one: one.now, large=True)]
    blocks += [block for one in told for block in one.blocks]
    blocks += [Rule(), _figures(told, lambda one: one.day)]
    blocks += [block for one in told for block in one.week]
    buttons = tuple(button for one in told for button in one.buttons)
    if buttons:
        blocks.append(Buttons(buttons))
    blocks.append(Note(text("digest.made", at=Instant(look.now))))
    if (words := _restore_check(params)) is not None:
        blocks.append(Note(words))
    if params.get("anchor"):
        # In a chat it is out of reach of whoever can write the database.
        blocks.append(Note(text("digest.anchor", anchor=str(params["anchor"]))))
    title = text("digest.title", day=Instant(day, "day"))
    summary = next((one.summary for one in told if one.summary is not None), None)
    tone = Tone.URGENT if any(one.urgent for one in told) else Tone.CALM
    return Card(title, tuple(blocks), tone, summary=summary)


def _figures(
    told: Iterable[Digested], which: Callable[[Digested], tuple[Figure, ...]], *, large: bool = False
) -> Facts:
    figures = sorted((figure for one in told for figure in which(one)), key=lambda figure: figure.place)
    return Facts(tuple((figure.label, figure.words) for figure in figures), large=large)


def _restore_check(params: Mapping[str, Any]) -> Text | None:
    """Whether the backups can be relied on, as far as anybody has tried; None where that is no matter yet."""
    proven, failed = params.get("proven"), params.get("drill_failed")
    if failed:
        return text("digest.drill_failed", at=Instant(datetime.fromisoformat(str(failed))))
    if params.get("drill_late"):
        return text("digest.drill_late")
    return text("digest.proven", at=Instant(datetime.fromisoformat(str(proven)))) if proven else None


COMMANDS = (
    Command(
        ("订阅", "subscribe"),
        MANAGE,
        SubscribeArguments,
        subscribe,
        text("help.subscribe"),
        text("help.usage.subscribe"),
    ),
    Command(
        ("退订", "unsubscribe"),
        MANAGE,
        UnsubscribeArguments,
        unsubscribe,
        text("help.unsubscribe"),
        text("help.usage.unsubscribe"),
    ),
)
