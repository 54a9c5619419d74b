"""What the apply file declares of digests: which chat gets which, and when."""

from __future__ import annotations

from datetime import time
from typing import Literal

from pydantic import Field, field_validator

from bot.contributions.configuration import Applying, Change, ConfigTable, Declared, Table
from handlers.digests.jobs import DAILY
from storage.areas.digests import Subscriptions


class SubscriptionTable(Table):
    chat: str = Field(pattern=r"^oc_")
    digest: Literal["daily"] = "daily"
    at: str = "09:00"

    @field_validator("at")
    @classmethod
    def readable(cls, at: str) -> str:
        try:
            time.fromisoformat(at)
        except ValueError:
            raise ValueError("write it like 09:00") from None  # the original repeats what was written
        return at


def _subscriptions(applying: Applying, declared: Declared) -> list[Change]:
    """Subscriptions that were made in chat stay."""
    subscriptions = Subscriptions(applying.session)
    changes: list[Change] = []
    wanted = {row.chat: time.fromisoformat(row.at) for row in declared["subscription"]}
    for old in subscriptions.all():
        if old.source == "file" and old.chat_id not in wanted:
            applying.session.delete(old)
            changes.append(Change("-", f"subscription {old.chat_id}"))
    for chat, at in wanted.items():
        row = subscriptions.get(DAILY, chat)
        if row is None or (row.source == "file" and (row.hour, row.minute) != (at.hour, at.minute)):
            changes.append(Change("+" if row is None else "~", f"subscription {chat}", at.strftime("%H:%M")))
            subscriptions.set(DAILY, chat, at.hour, at.minute, at=applying.now, source="file")
    return changes


TABLE = ConfigTable(
    "subscription", SubscriptionTable, _subscriptions, lambda row: f"{row.digest} {row.chat}", place=3
)  # fmt: skip
