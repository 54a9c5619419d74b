"""`mpops doctor`: everything that is looked at, and told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from handlers.cli.bootstrap import make_clock, read_settings

if TYPE_CHECKING:
    from handlers.cli.process import Composition


@click.command()
@click.option("--set-addresses", is_flag=True, help="Tell the channels to push to MPOPS_HTTP__PUBLIC_URL.")
@click.option("--forget-tenant", is_flag=True, help="Let the next event of the Feishu app say whose events are taken.")
@click.pass_obj
def doctor(composition: Composition, set_addresses: bool, forget_tenant: bool) -> None:
    """Check database, credentials, scopes, callbacks, clocks, keys and processes; say what to do."""
    import os

    from handlers.cli.doctor_machine import examine_database, examine_running, examine_settings
    from handlers.cli.doctor_setup import examine, tell_addresses
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
