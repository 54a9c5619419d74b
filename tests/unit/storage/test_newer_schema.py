"""Expand, roll, contract: on which newer schemas this version works, and what it does there and elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from storage.backups.backup import backup
from storage.database import Database
from storage.migrate import SchemaTooNew, current, floor, migrate, newest, revisions, works_on
from tests.rows import NOW, SECRET


def pretend(database: Database, schema: str) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :schema"), {"schema": schema})


@pytest.mark.parametrize(
    ("schema", "works"),
    [
        ("0002", True), ("0003", False), ("0003_from_0002", True), ("0004_from_0003", False), ("0009_from_0001", True),
        ("from_the_future", False), ("", False),
    ],
)  # fmt: skip
def test_a_schema_says_who_works_on_it(schema: str, works: bool) -> None:
    assert works_on(schema, {"0001", "0002"}) is works
    assert works_on(schema, {"0001", "0002_from_0001"}) is works


def test_this_version_works_on_every_schema_it_knows_and_their_floors_never_sink() -> None:
    ours = sorted(revisions())
    assert all(works_on(schema, ours) for schema in ours)
    floors = [floor(schema) for schema in ours]
    assert floors == sorted(floors)
    assert all(older <= schema for older, schema in zip(floors, ours, strict=True))


def test_a_newer_schema_that_allows_it_is_left_alone_with_a_warning(database: Database, tmp_path: Path) -> None:
    newer = f"9999_from_{newest().partition('_from_')[0]}"
    pretend(database, newer)
    with capture_logs() as logs:
        migrate(database)
    assert [(entry["event"], entry["schema"]) for entry in logs] == [("schema.newer", newer)]
    assert current(database) == newer
    database.unlock([SECRET])
    # A backup would leave out the tables that this version does not know.
    with pytest.raises(SchemaTooNew):
        backup(database, tmp_path / "backup", SECRET, NOW)
    assert not (tmp_path / "backup").exists()


def test_any_other_newer_schema_is_refused(database: Database) -> None:
    pretend(database, "9999")
    with pytest.raises(SchemaTooNew):
        migrate(database)
    assert current(database) == "9999"
