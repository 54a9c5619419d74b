"""Making rows say what a table of the apply file declares, and what such tables ask of each other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from bot.contributions.configuration import Change, Declared
from storage.base import Base


class DeclaredProgram(Protocol):
    """What other tables of an apply file may ask of a `[[program]]`."""

    @property
    def key(self) -> str: ...

    @property
    def chat(self) -> str: ...


def programs(declared: Declared) -> dict[str, DeclaredProgram]:
    """The declared programs by their keys."""
    return {program.key: program for program in declared["program"]}


def account_keys(declared: Declared) -> set[str]:
    return {account.key for account in declared["account"]}


def rows(
    session: Session,
    what: str,
    existing: Iterable[Any],
    key_of: Callable[[Any], Hashable],
    wanted: Mapping[Any, Mapping[str, Any]],
    make: Callable[[Any, Mapping[str, Any]], Base],
    touch: datetime | None = None,
) -> list[Change]:
    """Rows that the file no longer has are removed. `touch` is written into `changed_at` of those that differ."""
    changes: list[Change] = []
    found = {key_of(row): row for row in existing}
    for key, row in found.items():
        if key not in wanted:
            session.delete(row)
            changes.append(Change("-", f"{what} {_shown(key)}"))
    for key, values in wanted.items():
        row = found.get(key)
        if row is None:
            session.add(make(key, values))
            changes.append(Change("+", f"{what} {_shown(key)}"))
            continue
        differing = [name for name, value in values.items() if getattr(row, name) != value]
        for name in differing:
            setattr(row, name, values[name])
        if differing:
            if touch is not None:
                row.changed_at = touch
            changes.append(Change("~", f"{what} {_shown(key)}", ", ".join(differing)))
    return changes


def _shown(key: object) -> str:
    return " ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)
