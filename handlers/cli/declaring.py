"""The commands that set a deployment up: `mpops apply` and `mpops doctor`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlers.cli.opening import make_clock, open_database, read_settings

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


@click.command()
@click.option("--set-addresses", is_flag=True, help="Tell the channels to push to MPOPS_HTTP__PUBLIC_URL.")
@click.option("--forget-tenant", is_flag=True, help="Let the next event of the Feishu app say whose events are taken.")
@click.pass_obj
def doctor(composition: Composition, set_addresses: bool, forget_tenant: bool) -> None:
    """Check database, credentials, scopes, callbacks, clocks, keys and processes; say what to do."""
    import os

    from handlers.cli.doctor import examine, tell_addresses
    from handlers.cli.machine import examine_database, examine_running, examine_settings
    from handlers.shared.accounts.registry import Channels
    from storage.core.tenants import Tenants
    from storage.database import Database

    settings = read_settings()
    clock = make_clock(settings)
    database = Database(settings.database_url)
    findings = list(examine_database(database, settings.secrets()))
    if any(finding.check == "secret key" and finding.ok for finding in findings):
        channels = Channels(database, clock)
        if set_addresses:
            for line in tell_addresses(database, channels, settings.http.public_url):
                click.echo(line)
        if forget_tenant:
            with database.write() as session:
                forgotten = Tenants(session).forget(settings.feishu.app_id)
            click.echo("The tenant is forgotten; the next event says it." if forgotten else "No tenant was known.")
        findings += examine_settings(settings, os.environ, database)
        findings += examine(database, channels, settings, clock, composition.areas(settings))
        findings += examine_running(database, clock)
        channels.close()
    database.close()
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.area}: {finding.check}: {finding.detail}")
        if finding.remedy and not finding.ok:
            click.echo(f"       -> {finding.remedy}")
    bad = sum(not finding.ok for finding in findings)
    click.echo(f"{len(findings)} things looked at, {bad} to mend.")
    sys.exit(1 if bad else 0)
