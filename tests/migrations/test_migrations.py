"""The schema on each database: one head, there and back, no drift, once for all who start together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import storage.migrate as migrations
from bot.jobs.engine import Engine
from storage.all_models import METADATA
from storage.database import Database
from storage.migrate import SchemaTooNew, current, downgrade, drift, migrate, newest
from storage.schema_version import is_current, newest_revision
from tests.rows import SECRET

ROOT = Path(__file__).resolve().parents[2]
OURS = frozenset(METADATA.tables)


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def tables(database: Database) -> set[str]:
    return set(inspect(database.reader).get_table_names()) - {"alembic_version"}


def environment(url: str, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MPOPS_")}
    return {**kept, "MPOPS_DATABASE_URL": url, "MPOPS_SECRET_KEY": SECRET, **more}


def run_migrate(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "app.py"), "migrate"],
        env=environment(url), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_revisions_are_one_line_from_the_first_to_the_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    assert [len(script.nextrev) for script in scripts.walk_revisions()].count(0) == 1
    assert newest() == scripts.get_heads()[0] == newest_revision(), (
        "the file of the newest revision comes last by its name"
    )


def test_an_empty_database_gets_every_table(empty: Database) -> None:
    assert current(empty) is None
    assert not is_current(empty)
    migrate(empty)
    assert current(empty) == newest()
    assert is_current(empty)
    assert tables(empty) == OURS


def test_up_down_and_up_again_leave_the_same_schema(empty: Database) -> None:
    def shape() -> dict[str, list[tuple[str, str, bool]]]:
        found = inspect(empty.reader)
        return {
            name: sorted((c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(name))
            for name in sorted(tables(empty))
        }

    migrate(empty)
    first = shape()
    downgrade(empty, "base")
    assert tables(empty) == set()
    migrate(empty)
    assert shape() == first
    assert drift(empty) == []


def test_every_single_step_can_be_taken_back_and_again(empty: Database) -> None:
    migrate(empty)
    while (revision := current(empty)) is not None:
        downgrade(empty, "-1")
        below = current(empty)
        migrate(empty, revision)
        assert current(empty) == revision
        downgrade(empty, below or "base")
    assert tables(empty) == set()


def test_migrating_again_keeps_what_is_there(empty: Database) -> None:
    migrate(empty)
    with empty.write() as session:
        session.execute(text("INSERT INTO schedule_run (job, last_at) VALUES ('a job', '2026-01-01 00:00:00')"))
    migrate(empty)
    with empty.read() as session:
        assert session.scalar(text("SELECT count(*) FROM schedule_run")) == 1


def test_models_and_migrations_agree_also_beside_the_tables_of_the_engine(empty: Database) -> None:
    migrate(empty)
    assert drift(empty) == []
    Engine(empty, "drift-test").migrate()
    assert drift(empty) == [], "the engine's own tables are not ours"


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE person ADD COLUMN nickname VARCHAR(20)",
        "ALTER TABLE person DROP COLUMN left_at",
        "DROP TABLE audit_head",
        "DROP INDEX ix_complaint_progress",
    ],
)
def test_drift_is_seen(empty: Database, change: str) -> None:
    migrate(empty)
    with empty.write() as session:
        session.execute(text(change))
    assert drift(empty), f"nobody noticed: {change}"


def test_a_failed_migration_leaves_nothing_half_done(empty: Database) -> None:
    with empty.write() as session:
        session.execute(text("CREATE TABLE refund (id INTEGER)"))  # in the way of a table that comes late
    with pytest.raises(Exception, match="refund"):
        migrate(empty)
    assert current(empty) is None
    assert tables(empty) == {"refund"}


def test_two_processes_that_start_together_migrate_once(database_url: str) -> None:
    both = [run_migrate(database_url), run_migrate(database_url)]
    said = [process.communicate(timeout=100) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert all(newest() in out for out, _ in said)
    database = Database(database_url)
    with database.read() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).all() == [(newest(),)]
        assert session.scalar(text("SELECT count(*) FROM data_key")) == 2, "and one of them made the keys"
    assert drift(database) == []
    database.close()


def test_a_database_of_a_newer_version_is_refused_in_clear_words(empty: Database, database_url: str) -> None:
    migrate(empty)
    with empty.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'from_the_future'"))
    with pytest.raises(SchemaTooNew):
        migrate(empty)
    process = run_migrate(database_url)
    out, told = process.communicate(timeout=100)
    assert process.returncode == 1
    assert out == ""
    assert "newer version of mpops" in told
    assert "from_the_future" in told
    assert "Traceback" not in told
    assert current(empty) == "from_the_future"
