"""Calls that change something outside, written down before they are made and settled after."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import structlog
from sqlalchemy import Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, id_key, key_text, long_key, sealed_json

log = structlog.get_logger("effects")


class EffectState(StrEnum):
    STARTED = "started"  # the call may have been made
    DONE = "done"
    REFUSED = "refused"  # the platform said no; nothing happened
    UNKNOWN = "unknown"  # the call left and no answer came; a query must tell


class Effect(Base):
    __tablename__ = "effect"
    __table_args__ = (Index("ix_effect_state_started_at", "state", "started_at"),)
    id: Mapped[id_key]
    key: Mapped[long_key] = mapped_column(unique=True)  # the idempotency key
    action: Mapped[key_text]
    account_key: Mapped[key_text]
    subject: Mapped[long_key] = mapped_column(index=True)
    request: Mapped[sealed_json]
    state: Mapped[key_text]
    attempts: Mapped[int]
    started_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    error: Mapped[str | None]
    correlation_id: Mapped[str | None] = mapped_column("trail", String(16))  # of the event that led to it


def _correlation_id() -> str | None:
    """The correlation id of what runs just now, as it stands in its log lines too."""
    return structlog.contextvars.get_contextvars().get("trail")


class Effects:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, key: str) -> Effect | None:
        return self._session.scalar(select(Effect).where(Effect.key == key).with_for_update())

    def newest(self, key: str) -> Effect | None:
        """The last effect of that key, or of one that continues it after a colon."""
        query = select(Effect).where((Effect.key == key) | Effect.key.startswith(f"{key}:", autoescape=True))
        return self._session.scalar(query.order_by(Effect.id.desc()).limit(1))

    def begin(
        self, key: str, *, action: str, account_key: str, subject: str, request: object, at: datetime
    ) -> tuple[Effect, bool]:
        """The effect's row, and whether an attempt was begun before (so: look before repeating)."""
        effect = self.get(key)
        if effect is None:
            effect = Effect(
                key=key, action=action, account_key=account_key, subject=subject, request=request,
                state=EffectState.STARTED, attempts=1, started_at=at, correlation_id=_correlation_id(),
            )  # fmt: skip
            self._session.add(effect)
            self._session.flush()
            log.info("effect.begun", effect=key, action=action, attempt=1)
            return effect, False
        effect.attempts += 1
        log.info("effect.begun", effect=key, action=action, attempt=effect.attempts, first_trail=effect.correlation_id)
        return effect, True

    def settle(self, key: str, state: EffectState, at: datetime, error: str | None = None) -> None:
        effect = self.get(key)
        if effect is not None:
            effect.state, effect.settled_at, effect.error = state, at, (error or "")[:200] or None
            log.info(
                "effect.settled", effect=key, action=effect.action, state=str(state), first_trail=effect.correlation_id
            )

    def oldest_unsettled(self) -> datetime | None:
        query = select(func.min(Effect.started_at)).where(Effect.state.in_((EffectState.STARTED, EffectState.UNKNOWN)))
        return self._session.scalar(query)

    def unsettled(self, before: datetime) -> int:
        query = select(func.count()).where(
            Effect.state.in_((EffectState.STARTED, EffectState.UNKNOWN)), Effect.started_at < before
        )
        return self._session.scalar(query) or 0
