"""Running `mpops` as a user does: a process with an environment, an exit code, and what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.rows import SECRET

ROOT = Path(__file__).resolve().parents[2]
MPOPS = (sys.executable, str(ROOT / "app.py"))


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


def without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MPOPS_")}


def settings(database_url: str, **more: str) -> dict[str, str]:
    return {**without_settings(), "MPOPS_DATABASE_URL": database_url, "MPOPS_SECRET_KEY": SECRET, **more}


def mpops(*arguments: str | Path, env: Mapping[str, str], folder: Path = ROOT) -> Ran:
    """A failure that the program foresaw never shows a traceback; this looks for one each time."""
    done = subprocess.run(
        [*MPOPS, *map(str, arguments)], env=dict(env), cwd=folder, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    for name, value in env.items():
        if name.startswith(("MPOPS_", "SANDBOX_")) and name.endswith(("SECRET", "_KEY", "TOKEN")) and len(value) > 5:
            assert value not in done.stdout + done.stderr, f"{name} was told"
    return Ran(done.returncode, done.stdout, done.stderr)
