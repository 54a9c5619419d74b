"""`mpops keys`: the keys that encrypt personal data."""

from __future__ import annotations

import click

from handlers.cli.bootstrap import open_database, read_settings


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
