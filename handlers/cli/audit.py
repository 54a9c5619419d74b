"""`mpops audit`: the record of what was done, verified and exported."""

from __future__ import annotations

import io
import sys
from typing import Any

import click

from handlers.cli.bootstrap import open_database, read_settings


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
    from handlers.status.audit_card import sentence
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
