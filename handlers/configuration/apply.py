"""Making the database say what the apply file says. The same file twice changes nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from bot.area import Areas
from bot.contributions.configuration import Applying, Change, ConfigTable, Declared
from storage.core.audit import Audit


def apply(
    session: Session, declared: Declared, folder: Path, now: datetime, audit_key: bytes, areas: Areas
) -> list[Change]:
    """Change what differs within the caller's transaction (roll it back for a dry run) and tell what that was.

    Rows that the file no longer has are removed; what was given in chat stays.
    """
    applying = Applying(session, now, folder)
    changes = [change for table in areas.of(ConfigTable) for change in table.apply(applying, declared)]
    session.flush()
    if changes:
        Audit(session, audit_key).add(
            at=now, actor_id=None, event="setup.applied", subject="setup", params={"changes": len(changes)}
        )
    return changes
