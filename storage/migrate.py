"""Bringing a database to the schema of this version, and telling whether this version can work on a newer one.

Expand, roll, contract (docs/deploy.md): a revision that only adds says in its id from which schema on programs go on
working with it, `0005_from_0003`. A program that knows 0003 and meets 0005 works on; other unknown ones are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.all_models import METADATA
from storage.database import Database

log = structlog.get_logger("schema")


class SchemaTooNew(Exception):
    """The database was migrated by a newer version of mpops, and this one cannot work on it."""


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("file_template", "m%%(rev)s_%%(slug)s")  # so that the newest comes last by its name
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


def floor(revision: str) -> str:
    """The number of the oldest schema whose programs can work on this one; its own, where its id says nothing."""
    number, _, older = revision.partition("_from_")
    return older or number


def works_on(revision: str, known: Iterable[str]) -> bool:
    """Whether a program that knows these schemas can work on that one."""
    return revision in known or floor(revision) in {one.partition("_from_")[0] for one in known}


def current(database: Database) -> str | None:
    with database.reader.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database, target: str = "head") -> None:
    """Upgrade under a lock, so that replicas which start together migrate once. Raises SchemaTooNew.

    A newer schema on which this version can work stays as it is.
    """
    config = alembic_config()
    known = revisions()
    with database.exclusive() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision is not None and revision not in known:
            if not works_on(revision, known):
                raise SchemaTooNew(revision)
            log.warning("schema.newer", schema=revision, ours=newest())
            return
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


def make_revision(database: Database, message: str, revision_id: str) -> Path:
    """Write a new migration from the difference; for developers. The file that was written."""
    config = alembic_config()
    with database.exclusive() as connection:
        config.attributes["connection"] = connection
        command.revision(config, message=message, autogenerate=True, rev_id=revision_id)
    return Path(ScriptDirectory.from_config(config).get_revision(revision_id).path)
