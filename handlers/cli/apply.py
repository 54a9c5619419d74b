"""`mpops apply FILE`: what the company declares is made true."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlers.cli.bootstrap import make_clock, open_database, read_settings

if TYPE_CHECKING:
    from handlers.cli.process import Composition


@click.command(name="apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.pass_obj
def apply_command(composition: Composition, file: Path, dry_run: bool) -> None:
    """Declare accounts, programs, chats, roles, policies and subscriptions from a TOML file."""
    from handlers.configuration.apply import apply
    from handlers.configuration.apply_file import ApplyError, read

    settings = read_settings()
    areas = composition.areas(settings)
    try:
        declared = read(file, areas)
    except ApplyError as error:
        raise click.ClickException(str(error)) from None
    database = open_database(settings)
    clock = make_clock(settings)
    with database.write() as session:
        changes = apply(session, declared, file.parent.resolve(), clock.now(), database.vault.subkey("audit"), areas)
        if dry_run:
            session.rollback()
    database.close()
    for change in changes:
        click.echo(str(change))
    verb = "would be made" if dry_run else "made"
    click.echo(f"{len(changes)} changes {verb}." if changes else "Nothing to change.")
