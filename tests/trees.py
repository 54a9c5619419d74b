"""Other trees than the one that is worked on: an older version out of the history, or a copy to lay something over."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LOCK = "requirements.lock"


class NoHistory(Exception):
    """The commit is not here, as in a shallow clone."""


def older_tree(commit: str, folder: Path) -> Path:
    """Put that commit's files into `folder`, which is made. Raises NoHistory."""
    packed = subprocess.run(["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        raise NoHistory(
            f"The commit {commit} is not in this clone, so there is nothing to compare with. In a shallow clone,"
            f" `git fetch --unshallow` brings it.\n{packed.stderr.decode().strip()}"
        )
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def older_app(commit: str, folder: Path) -> list[str]:
    """What starts that commit, with packages as its own lock names them; both lie in `folder`. Raises NoHistory."""
    tree = older_tree(commit, folder / "tree")
    return [interpreter(tree, folder / "environment"), str(tree / "app.py")]


def present_tree(folder: Path) -> Path:
    """A copy of the product, without sandbox and tests, in `folder`, which is made."""
    folder.mkdir()
    for part in ("bot", "handlers", "adapters", "storage"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", folder / "app.py")
    return folder


def interpreter(tree: Path, folder: Path) -> str:
    """One that has what the tree's own lock names: the present one where both locks are the same, else in `folder`."""
    if (tree / _LOCK).read_bytes() == (ROOT / _LOCK).read_bytes():
        return sys.executable
    venv.create(folder, with_pip=True, symlinks=True)
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
    subprocess.run([*install, str(tree / _LOCK)], check=True)
    return python
