"""The daily digest of a group, subscribed from chat."""

from __future__ import annotations

from datetime import time

from pydantic import BaseModel, Field

from bot.contributions.permissions import Permission
from bot.contributions.routing import Asked, Command
from bot.errors import Refused
from bot.texts import text
from bot.unit import Unit
from handlers.digests.jobs import DAILY
from storage.areas.digests import Subscriptions

MANAGE = Permission("digest.manage")
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
