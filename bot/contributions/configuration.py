"""The tables of the apply file. Read by `mpops apply`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationInfo
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from bot.area import Areas
from bot.contributions.base import Named


class Table(BaseModel):
    """One entry of a table. Unknown keys are refused, and what was written is never repeated in an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Change:
    """`kind`: + added, ~ changed, - removed, ! left as it is, with the reason in `detail`."""

    kind: str
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.what}" + (f"  ({self.detail})" if self.detail else "")


Declared: TypeAlias = Mapping[str, Sequence[Any]]
"""All that an apply file declares: the entries of each table, by the name of the table."""


@dataclass(frozen=True, slots=True)
class Applying:
    """What a table is applied with: the caller's transaction, the time, and the folder of the apply file."""

    session: Session
    now: datetime
    folder: Path


@dataclass(frozen=True, slots=True)
class ConfigTable(Named):
    """A table `[[name]]` of the apply file.

    `key` names an entry: none may be there twice. `check` gives a sentence for everything that leads nowhere.
    `apply` makes the rows say what is declared and tells what it changed; the same file twice changes nothing.
    """

    model: type[BaseModel]
    apply: Callable[[Applying, Declared], Iterable[Change]]
    key: Callable[[Any], str] | None = None
    check: Callable[[Declared, Areas], Iterable[str]] = lambda declared, areas: ()


def areas_of(info: ValidationInfo) -> Areas:
    """The areas, for a model's validator that must know what they bring."""
    found = (info.context or {}).get("areas")
    assert isinstance(found, Areas)  # whoever reads an apply file hands them in
    return found


def one_of(given: str, known: Iterable[str]) -> str:
    """`given`, if it is one of the `known`; else a validation error that lists these, as for a `Literal`."""
    names = tuple(known)
    if given not in names:
        shown = [repr(name) for name in names] or ["nothing yet"]
        expected = " or ".join([*([", ".join(shown[:-1])] if shown[:-1] else []), shown[-1]])
        raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})
    return given
