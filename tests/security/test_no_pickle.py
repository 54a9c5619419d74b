"""Nothing that comes from a row, a file or a wire may say what is run: no pickle and nothing like it, here or beneath.

tests/unit/bot/test_engine_unreadable.py tries it with rows; this looks at sources, so that nobody adds a way in.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path

import dbos
import pytest
from dbos._schemas.system_database import SystemSchema
from sqlalchemy import MetaData, PickleType

from storage.all_models import METADATA
from tests.security.dependencies import LOCK, ROOT
from tests.security.test_supply_chain import locked

OURS = ("app.py", "bot", "storage", "adapters", "handlers", "sandbox")
MODULES = frozenset(
    {
        "pickle", "_pickle", "cPickle", "pickletools", "cloudpickle", "dill", "joblib", "jsonpickle", "marshal",
        "shelve", "copyreg", "yaml", "ruamel", "dbm", "runpy", "code",
    }
)  # fmt: skip
CALLS = frozenset({"eval", "exec", "compile", "__import__", "execfile", "PickleType", "add_jobstore"})
ENGINE = {"bot/jobs/engine.py", "bot/jobs/serialization.py"}
# Packages that can unpickle, and why that never meets a row of ours.
CAN_UNPICKLE = {
    "anyio": "what it says to processes of its own; none is begun",
    "apscheduler": "its stores in databases; ours is in memory, and `ways_in` finds another",
    "babel": "files of its own package",
    "dbos": "one class, which bot/jobs/serialization.py shuts",
    "jinja2": "compiled templates in a folder that somebody names; nobody names one",
    "pydantic": "`parse_raw` when it is asked for pickle; nobody asks",
    "sqlalchemy": "PickleType and ext.serializer; no column of ours or of the engine's has it",
}


def sources(*roots: str) -> Iterator[tuple[str, ast.AST]]:
    for root in roots:
        path = ROOT / root
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if "node_modules" not in file.parts:
                yield str(file.relative_to(ROOT)), ast.parse(file.read_text())


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def ways_in(tree: ast.AST) -> Iterator[str]:
    """Whatever in this source could run what it reads."""
    yield from (name for name in imported(tree) if name.split(".")[0] in MODULES or "jobstores" in name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            if name in CALLS and not (isinstance(node.func, ast.Attribute) and name == "compile"):  # re.compile
                yield f"{name}()"
            yield from (f"{each.arg}=" for each in node.keywords if each.arg == "jobstores")


def test_b1_no_source_of_ours_runs_what_it_reads() -> None:
    found = list(sources(*OURS))
    assert len(found) > 150
    assert [(place, way) for place, tree in found for way in ways_in(tree)] == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from pickle import loads", "import marshal", "import shelve", "import yaml", "eval('1')",
        "exec(words)", "__import__(name)", "from sqlalchemy import PickleType\nx = PickleType()", "import os, dill",
        "from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore", "Scheduler(jobstores={})",
        "scheduler.add_jobstore('sqlalchemy')", "def f():\n    import builtins\n    builtins.eval('1')",
    ],
)  # fmt: skip
def test_b1_each_way_in_would_be_found(source: str) -> None:
    assert list(ways_in(ast.parse(source)))


def test_b1_only_the_engines_modules_know_dbos() -> None:
    """app.py is no package, so import-linter does not see it; the other folders it does."""
    assert {
        place for place, tree in sources(*OURS) for name in imported(tree) if name.split(".")[0] == "dbos"
    } == ENGINE


@pytest.mark.parametrize("tables", [METADATA, SystemSchema.metadata_obj], ids=["ours", "the engine's"])
def test_b1_no_column_is_pickled(tables: MetaData) -> None:
    columns = [column for table in tables.sorted_tables for column in table.columns]
    assert len(columns) > 50
    for column in columns:
        kinds = {type(column.type), type(getattr(column.type, "impl_instance", column.type))}
        assert not any(issubclass(kind, PickleType) for kind in kinds), f"{column.table.name}.{column.name}"


def test_b1_dbos_unpickles_in_the_one_place_that_is_shut() -> None:
    folder = Path(dbos.__file__).parent
    users = {
        file.name: [node for node in ast.walk(ast.parse(file.read_text())) if _is_pickle(node)]
        for file in folder.rglob("*.py")
        if "pickle" in set(imported(ast.parse(file.read_text())))
    }
    assert set(users) == {"_serialization.py"}
    tree = ast.parse((folder / "_serialization.py").read_text())
    (shut,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "DefaultSerializer")
    inside = [node for node in ast.walk(shut) if _is_pickle(node)]
    assert len(inside) == len(users["_serialization.py"]) == 2


def _is_pickle(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pickle"


def test_b1_the_engine_is_the_version_that_was_looked_at() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [each for each in project["project"]["dependencies"] if re.match(r"dbos\b", each)]
    assert wanted == [f"dbos=={version('dbos')}"]
    assert locked(LOCK)["dbos"] == locked(ROOT / "requirements-dev.lock")["dbos"] == version("dbos") == "3.4.0"


def test_b1_these_packages_can_unpickle_and_no_others() -> None:
    """One more, by an upgrade or a new package, has to be looked at: does it read what stands in our rows?"""
    unpickles = re.compile(rb"pickle\.loads?\(|Unpickler\(|import_pickle|PickleType\(|cloudpickle|jsonpickle")
    found = set()
    for package in locked(LOCK):
        with suppress(PackageNotFoundError):  # one that this Python does not need
            for file in files(package) or ():
                path = Path(str(file.locate()))
                tests = {"testing", "SelfTest"} & set(path.parts)
                if file.suffix == ".py" and not tests and unpickles.search(path.read_bytes()):
                    found.add(package.lower())
    assert found == set(CAN_UNPICKLE)
