"""Proof that a backup brings everything back: restored into a new SQLite file, opened, compared, and thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.all_models import METADATA
from storage.backups.backup import Counts, restore
from storage.backups.sealed_file import read_header
from storage.core.audit import Verdict
from storage.database import Database
from storage.rotation import sealed_columns

_OWN = "schedule_run"  # a restore adds to it


@dataclass(frozen=True, slots=True)
class Proof:
    """`values` are the encrypted values that opened; `missing` names tables with other than the promised rows."""

    made_at: datetime
    counts: Counts
    values: int
    audit: Verdict
    missing: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.missing and self.audit.broken_at is None


def check_restore(path: Path, secrets: Sequence[str], now: datetime) -> Proof:
    """Restore the backup into a file of its own, which is removed afterwards; its values stay encrypted there too.

    Raises what `storage.backups.backup.restore` raises: UnreadableFile, SchemaTooNew, VaultError.
    """
    found: dict[str, int] = {}
    opened: list[int] = []

    def look(session: Session) -> None:
        found.update(
            {
                table.name: int(session.scalar(select(func.count()).select_from(table)) or 0)
                for table in METADATA.sorted_tables
            }
        )
        opened.append(_open_all(session))

    with TemporaryDirectory(prefix="mpops-drill-") as folder:
        database = Database(f"sqlite:///{folder}/drill.db")
        try:
            done = restore(database, path, secrets, force=False, now=now, then=look)
        finally:
            database.close()
    promised = {name: count for name, count in done.counts.rows.items() if name != _OWN}
    missing = tuple(sorted(name for name, count in promised.items() if found.get(name, count) != count))
    made_at = datetime.fromisoformat(str(read_header(path)["made_at"]))
    return Proof(made_at, done.counts, sum(opened), done.audit, missing)


def _open_all(session: Session) -> int:
    """Open every encrypted value; how many. Raises VaultError for one that does not open."""
    count = 0
    for table, names in sealed_columns().items():
        query = select(*(table.c[name] for name in names)).execution_options(yield_per=500)
        for row in session.execute(query):
            count += sum(value is not None for value in row)
    return count
