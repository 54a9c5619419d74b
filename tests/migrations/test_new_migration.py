"""`make migration` writes what a new table needs, and the tree then has no drift."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.trees import ROOT, present_tree

MODEL = """
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class Ticket(Base):
    __tablename__ = "ticket"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
"""


def _run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=tree, capture_output=True, text=True, check=False)


def test_a_new_table_gets_its_migration(tmp_path: Path) -> None:
    tree = present_tree(tmp_path / "tree")
    (tree / "tests" / "migrations").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "migrations" / "new_migration.py", tree / "tests" / "migrations")
    shutil.copy(ROOT / "pyproject.toml", tree)
    wanted = ("tests.migrations.new_migration", "0900_from_0001", "tickets")
    unchanged = _run(tree, *wanted)
    assert (unchanged.returncode, unchanged.stderr.strip()[-26:]) == (2, "there is nothing to write.")
    (tree / "storage" / "areas" / "ticket.py").write_text(MODEL)
    written = _run(tree, *wanted)
    assert written.returncode == 0, written.stderr
    [file] = (tree / "storage" / "migrations" / "versions").glob("m0900*")
    assert f"{file.name}: read it" in written.stdout
    assert 'op.create_table(\n        "ticket"' in file.read_text()
    assert _run(tree, "ruff", "format", "--check", str(file)).returncode == 0
    assert _run(tree, "ruff", "check", str(file)).returncode == 0
    assert _run(tree, wanted[0], "0901_from_0001", "again").returncode == 2, "the tree still differs from its schema"


def test_it_says_what_it_wants_to_be_told() -> None:
    asked = _run(ROOT, "tests.migrations.new_migration")
    assert asked.returncode == 2
    assert "make migration ID=" in asked.stderr
