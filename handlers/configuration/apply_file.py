"""The apply file: what the company declares, read and checked as a whole before anything changes.

Its tables are what the areas bring.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ValidationError, create_model

from bot.area import Areas
from bot.contributions.configuration import ConfigTable, Declared, Table


class ApplyError(Exception):
    """What is wrong with an apply file, all of it; values of secrets are never repeated."""


def read(path: Path, areas: Areas) -> Declared:
    """Raises ApplyError."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ApplyError(f"{path}: cannot be read ({type(error).__name__}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ApplyError(f"{path}: not valid TOML: {error}.") from None
    tables = areas.of(ConfigTable)
    try:
        parsed = _model(tables).model_validate(raw, context={"areas": areas})
    except ValidationError as error:
        lines = [f"  {_place(problem['loc'])}: {problem['msg']}" for problem in error.errors(include_input=False)]
        raise _refused(path, lines) from None
    declared = {table.name: getattr(parsed, table.name) for table in tables}
    problems = [*_dangling(tables, declared, areas), *_doubled(tables, declared)]
    if problems:
        raise _refused(path, [f"  file: Value error, {'; '.join(problems)}"])
    return declared


def _model(tables: tuple[ConfigTable, ...]) -> type[BaseModel]:
    fields: dict[str, Any] = {table.name: (tuple[table.model, ...], ()) for table in tables}  # type: ignore[name-defined]  # a type known at run time only
    return cast("type[BaseModel]", create_model("ApplyFile", __base__=Table, **fields))


def _refused(path: Path, lines: list[str]) -> ApplyError:
    return ApplyError(f"{path}: nothing was changed, because\n" + "\n".join(lines))


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in loc) or "file"


def _dangling(tables: tuple[ConfigTable, ...], declared: Declared, areas: Areas) -> Iterator[str]:
    for table in tables:
        yield from table.check(declared, areas)


def _doubled(tables: tuple[ConfigTable, ...], declared: Declared) -> Iterator[str]:
    for table in tables:
        if table.key is not None:
            keys = [table.key(row) for row in declared[table.name]]
            yield from (f"{table.name} {key}: declared twice" for key in sorted({k for k in keys if keys.count(k) > 1}))
