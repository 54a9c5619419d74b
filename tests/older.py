"""An older version of the tree, taken out of the history, for whoever compares with it or upgrades from it."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LOCK = "requirements.lock"


class NoHistory(Exception):
    """The version is not in this clone, or its packages are not those that are installed here."""


def older_tree(commit: str, folder: Path) -> Path:
    """Put that version's files into `folder`; its `app.py`. Raises NoHistory.

    It runs in the present environment, so its lock must name the same packages.
    """
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=False
    )  # fmt: skip
    if archive.returncode:
        raise NoHistory(f"{commit} is not in the history here (a shallow clone?): {archive.stderr.decode().strip()}")
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    if (folder / _LOCK).read_bytes() != (ROOT / _LOCK).read_bytes():
        raise NoHistory(f"{commit} was locked to other packages: install them into an environment of their own")
    return folder / "app.py"
