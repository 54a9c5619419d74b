"""Backups: every table of ours as it stood at one moment, from and to either kind of database.

Sealed columns stay sealed and data keys stay wrapped, inside a file that is itself encrypted. The engine's own tables
are left out: what waits to be done stands in our rows, and is enqueued anew from them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Connection, DateTime, LargeBinary, MetaData, Table, func, inspect, literal, select, text
from sqlalchemy.orm import Session

from storage.all_models import METADATA
from storage.backups.history import RESTORED
from storage.backups.sealed_file import UnreadableFile, read_header, read_lines, write_lines
from storage.column_types import lent_vault
from storage.core.audit import Audit, Verdict
from storage.core.schedule import Heartbeat, Schedules
from storage.database import Database
from storage.keys import open_vault
from storage.migrate import SchemaTooNew, alembic_config, current, revisions

_BATCH = 500
_ALIVE = timedelta(seconds=15)
_HOUSEKEEPING = frozenset(
    {"data_key", "heartbeat", "schedule_run", "process", "call_trouble", "tenant"}
)  # there as soon as a process looked at a database


class NotEmpty(Exception):
    """The database holds something that a restore would replace."""


class InUse(Exception):
    """A process works on this database just now."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by table."""

    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class Restored:
    counts: Counts
    audit: Verdict
    schema: str


def backup(database: Database, path: Path, secret: str, now: datetime) -> Counts:
    """Write one consistent moment of the database to `path` while it goes on working.

    Raises FileExistsError and SchemaTooNew.
    """
    schema = current(database)
    if schema is not None and schema not in revisions():
        raise SchemaTooNew(schema)  # it has tables that this version would leave out
    counts: dict[str, int] = {}
    options = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    with database.reader.connect().execution_options(**options) as connection, connection.begin():
        # One transaction sees one moment: a snapshot on PostgreSQL, and on SQLite by its write-ahead log.
        header = {"made_at": now.isoformat(), "schema": schema}
        write_lines(path, secret, header, _lines(connection, _tables(connection), counts))
    return Counts(counts)


def ready(database: Database, path: Path, secrets: Sequence[str], *, force: bool) -> Counts:
    """Whether `restore` can begin; changes nothing. Raises UnreadableFile, SchemaTooNew, NotEmpty and InUse."""
    counts = _checked(path, secrets)
    with database.reader.connect() as connection:
        _free(connection, force)
    return counts


def _checked(path: Path, secrets: Sequence[str]) -> Counts:
    """Read the whole file before anything is touched."""
    header = read_header(path)
    counts: dict[str, int] = {}
    promised: Mapping[str, int] | None = None
    for line in read_lines(path, secrets):
        row = json.loads(line)
        if isinstance(row, list):
            counts[row[0]] = counts.get(row[0], 0) + 1
        elif "rows" in row:
            promised = row["rows"]
    if promised is None or {name: count for name, count in promised.items() if count} != counts:
        raise UnreadableFile("it is not whole")
    if header["schema"] not in revisions():
        raise SchemaTooNew(str(header["schema"]))
    return Counts(promised)


def restore(
    database: Database,
    path: Path,
    secrets: Sequence[str],
    *,
    force: bool,
    now: datetime,
    then: Callable[[Session], None],
) -> Restored:
    """Make the database what it was, in one transaction; `then` may add to it. Nothing changes unless all succeeds.

    Raises UnreadableFile, SchemaTooNew, VaultError, NotEmpty (without `force`) and InUse.
    """
    counts = _checked(path, secrets)
    schema = str(read_header(path)["schema"])
    config = alembic_config()
    with database.exclusive() as connection:
        _free(connection, force)
        config.attributes["connection"] = connection
        if inspect(connection).has_table("alembic_version"):
            command.downgrade(config, "base")
        command.upgrade(config, schema)
        _fill(connection, path, secrets)
        command.upgrade(config, "head")
        vault = open_vault(connection, secrets)
        with lent_vault(connection.dialect, vault), Session(connection, expire_on_commit=False) as session:
            verdict = Audit(session, vault.subkey("audit")).verify()
            Schedules(session).ran(RESTORED, now)
            then(session)
            session.flush()
    database.unlock(secrets)
    return Restored(counts, verdict, schema)


def is_empty(connection: Connection) -> bool:
    """Whether nobody has used this database yet."""
    there = set(inspect(connection).get_table_names())
    return not any(
        connection.execute(select(literal(1)).select_from(table).limit(1)).first() is not None
        for name, table in METADATA.tables.items()
        if name in there and name not in _HOUSEKEEPING
    )


def _free(connection: Connection, force: bool) -> None:
    if inspect(connection).has_table(Heartbeat.__tablename__):
        # Heartbeats are in real time, whatever clock the rest goes by.
        alive = Schedules(Session(connection)).alive(datetime.now(UTC) - _ALIVE)
        if alive:
            raise InUse(", ".join(alive))
    if not force and not is_empty(connection):
        raise NotEmpty()


def _tables(connection: Connection) -> list[Table]:
    """Ours, as they stand in this database; parents before children."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in METADATA.tables)
    return list(found.sorted_tables)


def _lines(connection: Connection, tables: list[Table], counts: dict[str, int]) -> Iterator[str]:
    for table in tables:
        kinds = {
            column.name: "time" if isinstance(column.type, DateTime) else "bytes"
            for column in table.columns
            if isinstance(column.type, (DateTime, LargeBinary))
        }
        columns = [column.name for column in table.columns]
        yield json.dumps({"table": table.name, "columns": columns, "kinds": kinds})
        counts[table.name] = 0
        query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH)
        for row in connection.execute(query):
            counts[table.name] += 1
            yield json.dumps([table.name, *(_stored(value) for value in row)], ensure_ascii=False)
    yield json.dumps({"rows": counts})


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes | memoryview) else value


def _fill(connection: Connection, path: Path, secrets: Sequence[str]) -> None:
    tables = {table.name: table for table in _tables(connection)}
    for table in reversed(tables.values()):
        connection.execute(table.delete())  # a migration may have put rows there
    shape: Mapping[str, Any] = {}
    batch: list[dict[str, Any]] = []
    for line in read_lines(path, secrets):
        row = json.loads(line)
        if isinstance(row, dict):
            _insert(connection, tables, shape, batch)
            shape = row
            continue
        batch.append({name: _value(shape, name, value) for name, value in zip(shape["columns"], row[1:], strict=True)})
        if len(batch) == _BATCH:
            _insert(connection, tables, shape, batch)
    for table in tables.values():
        _count_on(connection, table)


def _value(shape: Mapping[str, Any], name: str, value: Any) -> Any:
    kind = shape["kinds"].get(name)
    if value is None or kind is None:
        return value
    return datetime.fromisoformat(value) if kind == "time" else base64.b64decode(value)


def _insert(
    connection: Connection, tables: Mapping[str, Table], shape: Mapping[str, Any], batch: list[dict[str, Any]]
) -> None:
    if batch:
        connection.execute(tables[shape["table"]].insert(), batch)
        batch.clear()


def _count_on(connection: Connection, table: Table) -> None:
    """PostgreSQL counts ids in a sequence, which rows with ids of their own do not move."""
    if connection.dialect.name != "postgresql" or "id" not in table.columns:
        return
    sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": f'"{table.name}"'})
    if sequence is not None:
        last = connection.scalar(select(func.max(table.columns["id"])))
        connection.execute(
            text("SELECT setval(:sequence, :last, :used)"),
            {"sequence": sequence, "last": last or 1, "used": last is not None},
        )
