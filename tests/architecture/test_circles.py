"""No module may need, by whatever way, a module that needs it: such a pair is read, tested and moved only together.

Imports for type checkers only and inside functions count too: they hide a circle from Python and not from the reader.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["adapters", "bot", "handlers", "sandbox", "storage"]
Graph = Mapping[str, set[str]]


def imports(root: Path, package: str) -> Graph:
    """Which modules of the package each of them imports, wherever the import stands."""
    files = {name_of(file.relative_to(root)): file for file in (root / package).rglob("*.py")}
    files = {name: file for name, file in files.items() if "node_modules" not in file.parts}
    return {name: set(imported(name, file, files)) for name, file in files.items()}


def name_of(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(name: str, file: Path, known: Container[str]) -> Iterator[str]:
    """`from a import b` means the module `a.b` if there is one, else something that `a` holds."""
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                meant = f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base
                if meant in known:
                    yield meant


def circles(graph: Graph) -> list[list[str]]:
    """The sets of modules that all reach one another (Tarjan's strongly connected components), each sorted."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        numbers[name] = lowest[name] = len(numbers)
        open_.append(name)
        for other in sorted(graph[name]):
            if other not in numbers:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in open_:
                lowest[name] = min(lowest[name], numbers[other])
        if lowest[name] == numbers[name]:
            at = open_.index(name)
            together = open_[at:]
            del open_[at:]
            if len(together) > 1 or name in graph[name]:
                found.append(sorted(together))

    for name in sorted(graph):
        if name not in numbers:
            visit(name)
    return sorted(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    graph = imports(ROOT, package)
    assert len(graph) > 5
    told = [
        "\n".join(f"{name} -> {', '.join(sorted(graph[name] & set(circle)))}" for name in circle)
        for circle in circles(graph)
    ]
    assert told == [], "import circles:\n" + "\n\n".join(told)


def test_a_circle_is_found_wherever_its_imports_stand(tmp_path: Path) -> None:
    house = tmp_path / "house"
    for folder in ("cellar", "attic"):
        (house / folder).mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "door.py": "import house.hall\n",
        "hall.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house import stairs\n",
        "stairs.py": "def down() -> None:\n    from .cellar.wine import bottle\n",
        "cellar/__init__.py": "",
        "cellar/wine.py": "from ..door import key\n",
        "roof.py": "import house.door\nfrom house.cellar import wine\n",
        "attic/__init__.py": "from house.attic.box import lid\n",
        "attic/box.py": "from house.attic import lock\n",
        "attic/lock.py": "",
        "twin.py": "from . import twin\n",
    }.items():
        (house / name).write_text(text)
    assert circles(imports(tmp_path, "house")) == [
        ["house.cellar.wine", "house.door", "house.hall", "house.stairs"],
        ["house.twin"],
    ]
