"""Sending digests: when, where, and once for each day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.contributions.scheduled import Cron, Scheduled
from bot.jobs.engine import Payload
from bot.unit import Units, to_chat
from handlers.digests.cards import CARD
from storage.areas.configuration import Configuration
from storage.areas.digests import Subscription, Subscriptions
from storage.backups.history import standing
from storage.core.audit import Audit

DAILY = "digest.daily"
SEND = "digest.send"


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
