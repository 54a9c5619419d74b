"""Runs migrations on the connection that `storage.migrate` hands over."""

from alembic import context
from sqlalchemy.types import TypeDecorator

from storage.all_models import METADATA

OURS = frozenset(METADATA.tables)


def ours(thing: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """The engine keeps tables of its own in the same database; they are not ours to migrate."""
    return kind != "table" or name in OURS


def plainly(kind: str, thing: object, autogenerate: object) -> str | bool:
    """A migration names the database's own types: it must still run when our classes have changed."""
    if kind == "type" and isinstance(thing, TypeDecorator):
        return f"sa.{thing.impl_instance!r}"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=METADATA, include_object=ours, render_as_batch=True, render_item=plainly
)
with context.begin_transaction():
    context.run_migrations()
