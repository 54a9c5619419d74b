"""Column types: aware time, sealed text, blind index, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import DateTime, Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from storage.vault import Vault


def attach_vault(dialect: Dialect, vault: Vault) -> None:
    """Give an engine's dialect the vault that its sealed columns use; each engine has a dialect of its own."""
    cast(Any, dialect).mpops_vault = vault


@contextmanager
def lent_vault(dialect: Dialect, vault: Vault) -> Iterator[None]:
    """As `attach_vault`, and whatever was there before comes back afterwards."""
    before = getattr(dialect, "mpops_vault", None)
    attach_vault(dialect, vault)
    try:
        yield
    finally:
        cast(Any, dialect).mpops_vault = before


def _vault(dialect: Dialect) -> Vault:
    vault = getattr(dialect, "mpops_vault", None)
    if vault is None:
        raise RuntimeError("the database was not unlocked: call Database.unlock first")
    return cast(Vault, vault)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python, naive UTC in the database, microseconds kept."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


class Sealed(TypeDecorator[str]):
    """Text encrypted at rest; plain in Python."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _vault(dialect).seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _vault(dialect).open(value)


class BlindIndex(TypeDecorator[str]):
    """Assign or compare the plain text; the database holds its keyed hash. Reads give the hash."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _vault(dialect).index(value)


class SealedJson(TypeDecorator[Any]):
    """JSON encrypted at rest."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else _vault(dialect).seal(json.dumps(value, ensure_ascii=False))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(_vault(dialect).open(value))


class PlainJson(TypeDecorator[Any]):
    """JSON as text, the same on every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)
