"""What was done and decided, append-only, each entry chained to the one before by a hash."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import String, Table, Text, insert, select, text, type_coerce, update
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from storage.base import Base, id_key, key_text, long_key, sealed_json
from storage.column_types import SealedJson
from storage.vault import VaultError

GENESIS = "0" * 64
_LOCK = 7_262_002
_ANCHOR = 12  # hex digits
_FINGERPRINT = re.compile(r"[0-9a-f]{12,64}")


class AuditEntry(Base):
    """One sentence: `event` is its key in the catalogue of texts, `params` what goes into it.

    People stand in `params` as `{"person": id}`: their names live, encrypted, in one place only.
    """

    __tablename__ = "audit"
    id: Mapped[id_key]
    at: Mapped[datetime]
    actor_id: Mapped[int | None]  # a person; None is mpops itself
    event: Mapped[key_text]
    subject: Mapped[long_key] = mapped_column(index=True)
    params: Mapped[sealed_json]  # reasons that people typed stand in it
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The last entry, so that cutting entries off the end is noticed too."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_id: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


# Made once and run on the tables: whoever writes an entry holds up all others who want to.
_entry, _head = cast(Table, AuditEntry.__table__), cast(Table, AuditHead.__table__)
_LOCKED = text("SELECT pg_advisory_xact_lock(:key)")
_LAST = select(_head.c.last_id, _head.c.hash).where(_head.c.id == 1)
_WRITE = insert(_entry)
_BEGIN, _MOVE = insert(_head).values(id=1), update(_head).where(_head.c.id == 1)


@dataclass(frozen=True, slots=True)
class _Last:
    """The last entry as a transaction knows it that has locked out all other writers."""

    transaction: SessionTransaction | None
    id: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`broken_at` is the id of the first entry that does not fit, 0 when the end is missing, None when all is well."""

    checked: int
    broken_at: int | None


def _hash(key: bytes, entry: Mapping[str, Any], params: object) -> str:
    told = json.dumps(
        [
            entry["id"], entry["at"].isoformat(), entry["actor_id"], entry["event"], entry["subject"],
            json.dumps(params, ensure_ascii=False, sort_keys=True), entry["previous"],
        ],
        ensure_ascii=False,
    )  # fmt: skip
    return hmac.new(key, told.encode(), hashlib.sha256).hexdigest()


def entries(session: Session, subject: str | None, limit: int, before: int | None = None) -> list[AuditEntry]:
    """Newest first; with `before`, only entries older than that id."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(AuditEntry.subject == subject)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return list(session.scalars(query))


class Audit:
    """`key` makes the chain unforgeable for somebody who can write the database but has not the secret key."""

    def __init__(self, session: Session, key: bytes) -> None:
        self._session = session
        self._key = key

    def add(self, *, at: datetime, actor_id: int | None, event: str, subject: str, params: Mapping[str, Any]) -> None:
        self._session.flush()  # what an entry tells of goes before it
        last = self._last()
        entry = {
            "id": last.id + 1, "at": at, "actor_id": actor_id, "event": event, "subject": subject,
            "params": dict(params), "previous": last.hash,
        }  # fmt: skip
        written = _hash(self._key, entry, entry["params"])
        self._session.execute(_WRITE, {**entry, "hash": written})
        self._session.execute(_MOVE, {"last_id": entry["id"], "hash": written})
        self._session.info[_Last] = _Last(self._transaction(), last.id + 1, written)

    def _last(self) -> _Last:
        """The last entry, read once in a transaction: nobody else adds one before that ends."""
        known = self._session.info.get(_Last)
        if isinstance(known, _Last) and known.transaction is self._transaction():
            return known
        if self._session.get_bind().dialect.name != "sqlite":
            # Two writers must not chain to the same entry; SQLite has one writer anyway.
            self._session.execute(_LOCKED, {"key": _LOCK})
        head = self._session.execute(_LAST).one_or_none()
        if head is None:
            self._session.execute(_BEGIN, {"last_id": 0, "hash": GENESIS})
        return _Last(self._transaction(), *(head or (0, GENESIS)))

    def _transaction(self) -> SessionTransaction | None:
        """The innermost: what was known in one that was rolled back is not known any more."""
        return self._session.get_nested_transaction() or self._session.get_transaction()

    def anchor(self) -> str:
        """How many entries there are and the beginning of the last hash, `14:0f3a9c…`, to be kept somewhere else."""
        head = self._session.execute(_LAST).one_or_none()
        return f"{head.last_id}:{head.hash[:_ANCHOR]}" if head is not None else ""

    def holds(self, anchor: str) -> bool:
        """Whether the entry that an anchor tells of is still there. Raises ValueError for what is no anchor."""
        count, colon, fingerprint = anchor.strip().partition(":")
        number = int(count) if count.isascii() and count.isdigit() and len(count) < 19 else 0
        if not colon or number < 1 or not _FINGERPRINT.fullmatch(fingerprint):
            raise ValueError("an anchor looks like 14:0f3a9c71d2b4")
        found = self._session.scalar(select(AuditEntry.hash).where(AuditEntry.id == number))
        return found is not None and hmac.compare_digest(found[: len(fingerprint)], fingerprint)

    def all(self) -> Iterator[AuditEntry]:
        found = self._session.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000))
        try:
            yield from found
        finally:
            found.close()  # whoever stops early would leave a cursor open in PostgreSQL

    def verify(self) -> Verdict:
        previous, expected, checked = GENESIS, 1, 0
        try:
            for entry, params in self._raw():
                fits = entry.id == expected and entry.previous == previous
                if not fits or not hmac.compare_digest(entry.hash, _hash(self._key, entry._mapping, params)):
                    return Verdict(checked, entry.id)
                previous, expected, checked = entry.hash, expected + 1, checked + 1
        except (VaultError, ValueError):  # somebody wrote into it what cannot even be read
            return Verdict(checked, expected)
        head = self._session.execute(_LAST).one_or_none()
        if head is not None and (head.last_id != checked or head.hash != previous):
            return Verdict(checked, 0)
        return Verdict(checked, None)

    def _raw(self) -> Iterator[tuple[Any, object]]:
        """Each entry as it stands, its parameters opened one by one: the first that does not open is the broken one."""
        sealed = SealedJson()
        columns = [column for column in AuditEntry.__table__.columns if column.name != "params"]
        query = select(*columns, type_coerce(AuditEntry.params, Text()).label("sealed")).order_by(AuditEntry.id)
        found = self._session.execute(query.execution_options(yield_per=1000))
        dialect = self._session.get_bind().dialect
        try:
            for row in found:
                yield row, sealed.process_result_value(row.sealed, dialect)
        finally:
            found.close()
