"""The commands that keep a deployment safe: backups, keys, and the record of what was done."""

from __future__ import annotations

import io
import sys
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlers.cli.opening import make_clock, open_database, read_settings

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


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def drill(file: Path) -> None:
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


@click.group()
def keys() -> None:
    """The keys that encrypt personal data: see the runbook before changing them."""


@keys.command(name="list")
def keys_list() -> None:
    """Show every data key: when it was made, how many values it seals, and by which secret key all are opened."""
    from storage.keys import secret_fingerprint
    from storage.rotation import uses

    settings = read_settings()
    database = open_database(settings)
    found = uses(database)
    database.close()
    for use in found:
        made = f"{use.made_at:%Y-%m-%d %H:%M} UTC" if use.made_at is not None else "with the database"
        click.echo(f"{use.id}  made {made}  seals {use.values} values{'  in use' if use.is_current else ''}")
    click.echo(f"They are wrapped with the secret key {secret_fingerprint(settings.secrets()[0])} (fingerprint).")


@keys.command(name="rotate")
def keys_rotate() -> None:
    """Start a new data key for what is written from now on; running processes use it within a minute."""
    from storage.rotation import rotate

    settings = read_settings()
    database = open_database(settings)
    made = rotate(database, settings.secrets()[0])
    database.close()
    click.echo(f"New values are sealed with {made}. `mpops keys reseal` seals the old ones anew.")


@keys.command(name="reseal")
def keys_reseal() -> None:
    """Seal values of older keys anew while mpops works, then retire those keys. Can be stopped and run again."""
    from storage.rotation import reseal

    database = open_database(read_settings())
    told = [0]

    def tell(values: int) -> None:
        if values - told[0] >= 10_000:
            told[0] = values
            click.echo(f"{values} values ...", err=True)

    done = reseal(database, tell=tell)
    database.close()
    click.echo(f"{done.values} values were sealed anew.")
    if done.retired:
        click.echo(f"Retired: {', '.join(done.retired)}. Backups of their time still hold them.")
    if done.busy:
        click.echo(f"{done.busy} values were being written just now: run this once more.")
    elif done.kept and done.until is not None:
        click.echo(
            f"{', '.join(done.kept)} is kept until every process surely knows the new key:"
            f" run this once more after {done.until:%Y-%m-%d %H:%M:%S} UTC."
        )


@click.group()
def audit() -> None:
    """The record of what was done and decided."""


@audit.command(name="verify")
@click.option("--anchor", default="", metavar="COUNT:FINGERPRINT", help="From a digest: that entry must be there yet.")
def audit_verify(anchor: str) -> None:
    """Prove that no entry was changed, taken out or cut off."""
    from storage.core.audit import Audit

    database = open_database(read_settings())
    with database.read() as session:
        found = Audit(session, database.vault.subkey("audit"))
        verdict = found.verify()
        try:
            held = not anchor or found.holds(anchor)
        except ValueError as error:
            raise click.ClickException(f"{error}.") from None
    database.close()
    if not held:
        raise click.ClickException(f"The entry of the anchor {anchor} is not there: the end was cut off or replaced.")
    if verdict.broken_at is None:
        click.echo(f"The audit is whole: {verdict.checked} entries.")
        return
    where = f"at entry {verdict.broken_at}" if verdict.broken_at else "at its end"
    raise click.ClickException(f"The audit was tampered with {where}; {verdict.checked} entries before it are whole.")


@audit.command(name="export")
@click.option("--language", type=click.Choice(["zh_cn", "en_us"]), default="zh_cn")
@click.option("--csv", "as_csv", is_flag=True, help="As a table for a spreadsheet program, without any formula.")
def audit_export(language: Any, as_csv: bool) -> None:
    """Print every entry as one sentence, oldest first."""
    from bot.texts import catalogue
    from handlers.status.commands import sentence
    from handlers.status.export import write
    from storage.areas.people import People
    from storage.core.audit import Audit

    settings = read_settings()
    database = open_database(settings)
    words = catalogue()
    with database.read() as session:
        people, found = People(session), Audit(session, b"").all()
        if as_csv:
            table = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="", write_through=True)
            write(found, people, words, language, settings.zone, table)
            table.detach()
        else:
            for entry in found:
                told = words.render(sentence(entry, people), language, zone=settings.zone)
                click.echo(f"{entry.id}\t{entry.subject}\t{told}")
    database.close()
