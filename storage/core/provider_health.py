"""How the platforms answer: since when calls to one fail, and when one succeeded again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, key_text, long_key


class ProviderOutage(Base):
    """Failing calls to one account or to Feishu. `well_at`: when one succeeded since."""

    __tablename__ = "call_trouble"
    target: Mapped[key_text] = mapped_column(primary_key=True)
    errors: Mapped[int]  # since `since`
    what: Mapped[long_key]
    why: Mapped[key_text]
    since: Mapped[datetime]
    last_at: Mapped[datetime]
    well_at: Mapped[datetime | None]

    @property
    def is_over(self) -> bool:
        return self.well_at is not None and self.well_at >= self.last_at


class ProviderOutages:
    def __init__(self, session: Session) -> None:
        self._session = session

    def failed(self, target: str, errors: int, what: str, why: str, at: datetime, new_after: datetime) -> None:
        """Count errors; an outage whose last one lies before `new_after` is over, and this is a new one."""
        row = self._session.get(ProviderOutage, target, with_for_update=True)
        if row is None:
            row = ProviderOutage(target=target, errors=0, since=at)
            self._session.add(row)
        elif row.last_at < new_after or row.last_at > at:
            row.errors, row.since = 0, at
        row.errors += errors
        row.what, row.why, row.last_at = what[:200], why[:64], at

    def well(self, target: str, at: datetime) -> None:
        row = self._session.get(ProviderOutage, target, with_for_update=True)
        if row is not None:
            row.well_at = at

    def since(self, at: datetime) -> Sequence[ProviderOutage]:
        query = select(ProviderOutage).where(ProviderOutage.last_at >= at).order_by(ProviderOutage.target)
        return list(self._session.scalars(query))
