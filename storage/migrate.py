"""Bringing a database to the schema of this version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.database import Database
from storage.models import METADATA


class SchemaTooNew(Exception):
    """The database was migrated by a newer version of mpops."""


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def newest() -> str:
    heads = ScriptDirectory.from_config(alembic_config()).get_heads()
    if len(heads) != 1:
        raise RuntimeError(f"migrations have {len(heads)} heads")
    return heads[0]


def revisions() -> frozenset[str]:
    """Every schema that this version knows."""
    scripts = ScriptDirectory.from_config(alembic_config())
    return frozenset(script.revision for script in scripts.walk_revisions())


def current(database: Database) -> str | None:
    with database.reader.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database, target: str = "head") -> None:
    """Upgrade under a lock, so that replicas which start together migrate once. Raises SchemaTooNew."""
    config = alembic_config()
    known = revisions()
    with database.exclusive() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision is not None and revision not in known:
            raise SchemaTooNew(revision)
        config.attributes["connection"] = connection
        command.upgrade(config, target)


def downgrade(database: Database, target: str) -> None:
    config = alembic_config()
    with database.exclusive() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, target)


def drift(database: Database) -> Sequence[object]:
    """What differs between the models and the database; empty when nothing does."""
    with database.reader.connect() as connection:
        ours = frozenset(METADATA.tables)
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda thing, name, kind, *rest: kind != "table" or name in ours},
        )
        return list(compare_metadata(context, METADATA))


def make_revision(database: Database, message: str, revision_id: str) -> None:
    """Write a new migration from the difference; for developers."""
    config = alembic_config()
    with database.exclusive() as connection:
        config.attributes["connection"] = connection
        command.revision(config, message=message, autogenerate=True, rev_id=revision_id)
