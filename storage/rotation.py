"""Changing the data keys while processes work: a new key, old values sealed anew, the old key retired.

Blind indexes, signatures and the audit chain hang on the index key, which stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.orm import Session

from storage.all_models import METADATA
from storage.column_types import Sealed, SealedJson
from storage.core.schedule import Schedules
from storage.database import Database
from storage.keys import DataKey, newest
from storage.vault import INDEX_KEY_ID, REREAD_AFTER, Vault, new_wrapped_key

# Every process has read the keys again by then, so nothing more is sealed with an older one.
KNOWN_AFTER = timedelta(seconds=REREAD_AFTER + 30)
SETTLED_AFTER = timedelta(minutes=5)  # from the newest key on, before an older one may be retired
_MADE = "keys.made:"  # the schedule row that tells when a key was made
_BATCH = 200  # rows sealed anew in one transaction


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A data key; `made_at` is None for one that is as old as the database, `values` how many it seals."""

    id: str
    made_at: datetime | None
    values: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Resealed:
    """`busy` values are being written by somebody else just now; `kept` keys may not be retired before `until`."""

    values: int
    busy: int
    retired: tuple[str, ...]
    kept: tuple[str, ...]
    until: datetime | None


def sealed_columns() -> dict[Table, list[str]]:
    """Every column of ours that holds sealed values."""
    found = {
        table: [column.name for column in table.columns if isinstance(column.type, Sealed | SealedJson)]
        for table in METADATA.sorted_tables
    }
    return {table: names for table, names in found.items() if names}


def rotate(database: Database, secret: str) -> str:
    """Start a new data key; its id. Running processes use it within a minute, and open its values at once."""
    with database.exclusive() as connection:
        key_id = f"k{int(newest(_ids(connection))[1:]) + 1}"
        fresh = new_wrapped_key(key_id, secret)
        connection.execute(insert(DataKey).values(id=fresh.id, wrapped=fresh.wrapped))
        with Session(connection) as session:
            Schedules(session).ran(_MADE + key_id, datetime.now(UTC))
            session.flush()
    database.vault.look_again(key_id)
    return key_id


def uses(database: Database) -> list[KeyUse]:
    """All data keys, oldest first."""
    with database.reader.connect() as connection, Session(connection) as session:
        ids = sorted(_ids(connection), key=lambda key_id: int(key_id[1:]))
        counted = _counted(connection, ids)
        schedules = Schedules(session)
        return [
            KeyUse(key_id, schedules.last_run(_MADE + key_id), counted[key_id], key_id == ids[-1]) for key_id in ids
        ]


def reseal(
    database: Database,
    *,
    settled_after: timedelta = SETTLED_AFTER,
    batch: int = _BATCH,
    pause: float = 0.01,
    tries: int = 20,
    tell: Callable[[int], object] = lambda values: None,
) -> Resealed:
    """Seal the values of older keys with the newest one, in small transactions, and retire keys without values.

    Whoever is killed in the middle begins again where it was: the key id of a value says what is left. `tell` hears
    how many values are done. `pause` is in seconds, between two transactions.
    """
    with database.reader.connect() as connection:
        ids = _ids(connection)
    current = newest(ids)
    database.vault.look_again(current)
    old = [key_id for key_id in ids if key_id != current]
    done, left = 0, 0
    for _ in range(tries if old else 0):
        for table, names in sealed_columns().items():
            for values in _table(database, table, names, old, batch):
                done += values
                tell(done)
                time.sleep(pause)
        with database.reader.connect() as connection:
            left = sum(_counted(connection, old).values())
        if not left:
            break
        time.sleep(0.2)
    if left or not old:
        return Resealed(done, left, (), tuple(old), None)
    return _retire(database, old, current, done, settled_after)


def _table(database: Database, table: Table, names: Sequence[str], old: Sequence[str], batch: int) -> Iterable[int]:
    """Seal the old values of one table, and yield how many each transaction did."""
    (key,) = table.primary_key.columns
    raw = [type_coerce(table.c[name], Text()).label(name) for name in names]
    change = table.update().where(key == bindparam("old_key"))
    last: Any = None
    while True:
        with database.writer.begin() as connection:
            query = select(key, *raw).where(_is_old(table, names, old)).order_by(key).limit(batch)
            if last is not None:
                query = query.where(key > last)
            # Rows that somebody holds are left for the next round: nobody waits for us, and no two for each other.
            rows = connection.execute(query.with_for_update(skip_locked=True)).all()
            if not rows:
                return
            for row in rows:
                fresh = {
                    name: _again(database.vault, value, old)
                    for name, value in zip(names, row[1:], strict=True)
                    if value
                }
                raw_change = change.values({name: type_coerce(value, Text()) for name, value in fresh.items()})
                connection.execute(raw_change, {"old_key": row[0]})
            last = rows[-1][0]
        yield sum(1 for row in rows for value in row[1:] if value and value.partition(".")[0] in old)


def _again(vault: Vault, value: str, old: Sequence[str]) -> str:
    return vault.seal(vault.open(value)) if value.partition(".")[0] in old else value


def _retire(database: Database, old: Sequence[str], current: str, done: int, settled_after: timedelta) -> Resealed:
    now = datetime.now(UTC)
    with database.write() as session:
        schedules = Schedules(session)
        made_at = schedules.last_run(_MADE + current)
        if made_at is None:  # nobody knows how long it has been there
            made_at = now
            schedules.ran(_MADE + current, now)
    until = made_at + settled_after
    if now < until or _writes_from_before(database, made_at + min(KNOWN_AFTER, settled_after)):
        return Resealed(done, 0, (), tuple(old), max(until, now))
    with database.reader.connect() as connection:
        counted = _counted(connection, old)
    unused = [key_id for key_id in old if not counted[key_id]]
    with database.exclusive() as connection:
        connection.execute(delete(DataKey).where(DataKey.id.in_(unused)))
        with Session(connection) as session:
            for key_id in unused:
                Schedules(session).forget(_MADE + key_id)
            session.flush()
    return Resealed(done, sum(counted.values()), tuple(unused), tuple(set(old) - set(unused)), None)


def _writes_from_before(database: Database, moment: datetime) -> bool:
    """Whether a transaction is still open that may yet bring values sealed before that moment."""
    if database.is_sqlite:
        with database.exclusive():
            return False  # there is one writer at a time, and it was us
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND xact_start < :moment"
    )
    with database.reader.connect() as connection:
        return bool(connection.scalar(query, {"moment": moment}))


def _ids(connection: Connection) -> list[str]:
    return list(connection.scalars(select(DataKey.id).where(DataKey.id != INDEX_KEY_ID)))


def _starts(table: Table, name: str, key_id: str) -> ColumnElement[bool]:
    return type_coerce(table.c[name], Text()).startswith(f"{key_id}.")


def _is_old(table: Table, names: Sequence[str], old: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(_starts(table, name, key_id) for name in names for key_id in old))


def _counted(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """How many values each key seals."""
    totals = dict.fromkeys(ids, 0)
    for table, names in sealed_columns().items():
        counts = [func.count().filter(_starts(table, name, key_id)) for key_id in ids for name in names]
        found = connection.execute(select(*counts).select_from(table)).one() if counts else ()
        for place, count in enumerate(found):
            totals[ids[place // len(names)]] += int(count)
    return totals
