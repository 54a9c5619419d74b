"""Which schema this version works on, told without the machinery that changes schemas."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.database import Database

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_REVISION = re.compile(r"""^revision = (["'])(.+)\1$""", re.MULTILINE)


@cache
def newest_revision() -> str | None:
    """That of the migration whose file comes last; None where it cannot be told. A test holds it to Alembic's."""
    last = max(_VERSIONS.glob("m*.py"), key=lambda file: file.name, default=None)
    found = _REVISION.search(last.read_text(encoding="utf-8")) if last is not None else None
    return found[2] if found is not None else None


def is_current(database: Database) -> bool:
    """Whether nothing is to be done. False also where that cannot be told: migrating then says what is wrong."""
    try:
        with database.reader.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    except DBAPIError:
        return False
    return list(found) == [newest_revision()]
