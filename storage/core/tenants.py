"""The company in Feishu that the events of an app come from, as the first proven event said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, long_key


class Tenant(Base):
    """One for each app id that was ever set: an app that is exchanged for another begins anew."""

    __tablename__ = "tenant"
    app_id: Mapped[long_key] = mapped_column(primary_key=True)
    tenant_key: Mapped[long_key]
    seen_at: Mapped[datetime]


_INSERT: dict[str, Any] = {"sqlite": sqlite_insert, "postgresql": postgres_insert}


class Tenants:
    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, app_id: str) -> Tenant | None:
        return self._session.get(Tenant, app_id, populate_existing=True)

    def remember(self, app_id: str, tenant_key: str, at: datetime) -> str:
        """The tenant that holds from now on: of several at once, the first one."""
        row = {"app_id": app_id, "tenant_key": tenant_key, "seen_at": at}
        insert = _INSERT[self._session.get_bind().dialect.name]
        self._session.execute(insert(Tenant).values(row).on_conflict_do_nothing())
        found = self.of(app_id)
        return found.tenant_key if found is not None else tenant_key

    def forget(self, app_id: str) -> bool:
        """Let the next event say it anew; whether there was anything to forget."""
        found = self.of(app_id)
        if found is not None:
            self._session.delete(found)
        return found is not None
