"""`mpops migrate`: the database brought to the schema of this version."""

from __future__ import annotations

import threading

import click

from handlers.cli.bootstrap import open_database, read_settings


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    from bot.jobs.engine import Engine
    from storage.migrate import current, newest

    database = open_database(read_settings(), waiting=threading.Event())
    Engine(database, "migrate").migrate()
    schema = current(database)
    database.close()
    click.echo(f"The database is at schema {schema}.")
    if schema != newest():
        click.echo("That is newer than this version, which can work on it. Nothing was changed.")
