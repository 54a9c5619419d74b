"""Which schema this version works on, told without the machinery that changes schemas."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.database import Database

SCHEMA = "0003_from_0001"  # the newest of storage/migrations; a test holds the two together


def is_current(database: Database) -> bool:
    """Whether nothing is to be done. False also where that cannot be told: migrating then says what is wrong."""
    try:
        with database.reader.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    except DBAPIError:
        return False
    return list(found) == [SCHEMA]
