"""`mpops backup`, `drill` and `restore`: what keeps a deployment safe."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlers.cli.bootstrap import make_clock, open_database, read_settings

if TYPE_CHECKING:
    from bot.settings import Settings
    from handlers.cli.process import Composition
    from storage.database import Database


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--drill", is_flag=True, help="Prove at once that it brings everything back.")
def backup(file: Path, drill: bool) -> None:
    """Write an encrypted backup of the whole database to FILE; mpops may go on working."""
    from storage.backups.backup import backup as write
    from storage.backups.history import MADE
    from storage.core.schedule import Schedules

    settings = read_settings()
    with closing(open_database(settings)) as database:
        try:
            made_at = make_clock(settings).now()
            counts = write(database, file, settings.secrets()[0], made_at)
            with database.write() as session:
                Schedules(session).ran(MADE, made_at)
        except FileExistsError:
            raise click.ClickException(f"{file} is there already; a backup is never overwritten.") from None
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written ({error.strerror}).") from None
        click.echo(f"{file}: {counts.total} rows of {len(counts.rows)} tables.")
        click.echo("It opens only with the secret key of today. Key files of accounts (file:PATH) are not in it.")
        if drill:
            _prove(database, file, settings)


@click.command(name="drill")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore_check(file: Path) -> None:
    """Prove that the backup FILE brings everything back: restored into a temporary file, opened, and thrown away."""
    settings = read_settings()
    with closing(open_database(settings)) as database:
        _prove(database, file, settings)


def _prove(database: Database, file: Path, settings: Settings) -> None:
    """The outcome is remembered either way: `/状态`, `mpops doctor` and the digests tell it."""
    from storage.backups.history import not_proven, proven
    from storage.backups.restore_check import check_restore
    from storage.backups.sealed_file import UnreadableFile
    from storage.migrate import SchemaTooNew
    from storage.vault import VaultError

    now = make_clock(settings).now()
    try:
        proof = check_restore(file, settings.secrets(), now)
    except (UnreadableFile, SchemaTooNew, VaultError):
        with database.write() as session:
            not_proven(session, now)
        raise
    with database.write() as session:
        if proof.holds:
            proven(session, proof.made_at)
        else:
            not_proven(session, now)
    if proof.audit.broken_at is not None:
        raise click.ClickException("The audit in this backup had been tampered with: see `mpops audit verify`.")
    if not proof.holds:
        raise click.ClickException(f"Not everything came back: rows are missing in {', '.join(proof.missing)}.")
    made = f"{proof.made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    click.echo(
        f"The backup of {made} is good: {proof.counts.total} rows came back, {proof.values} encrypted values open,"
        f" {proof.audit.checked} audit entries are whole."
    )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace what is in the database.")
@click.pass_obj
def restore(composition: Composition, file: Path, force: bool) -> None:
    """Make the database what it was when FILE was written, on SQLite or PostgreSQL. Stop mpops first."""
    from bot.jobs.engine import Engine
    from handlers.cli.resume import resume
    from storage.backups.backup import ready
    from storage.backups.backup import restore as bring_back
    from storage.database import Database

    settings = read_settings()
    now = make_clock(settings).now()
    database = Database(settings.database_url)
    database.keep_private()
    ready(database, file, settings.secrets(), force=force)
    areas = composition.areas(settings)
    engine = Engine(database, "restore")
    engine.migrate()
    engine.start(execute=False)
    try:
        engine.clear()  # work of the rows that go; what the new rows need is enqueued with them
        restored = bring_back(
            database, file, settings.secrets(), force=force, now=now,
            then=lambda session: resume(session, engine, now, areas),
        )  # fmt: skip
    finally:
        engine.stop()
        database.close()
    click.echo(f"{restored.counts.total} rows are back, at schema {restored.schema}.")
    if restored.audit.broken_at is not None:
        raise click.ClickException("The audit in this backup had been tampered with: see `mpops audit verify`.")
    click.echo(
        f"The audit is whole: {restored.audit.checked} entries. What was not finished goes on at the next start."
    )
