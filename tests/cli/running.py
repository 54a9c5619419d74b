"""Running `mpops` as a user does: a process with an environment, an exit code, and what it says."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

from tests.rows import SECRET

ROOT = Path(__file__).resolve().parents[2]
MPOPS = (sys.executable, str(ROOT / "app.py"))  # as a shell starts it


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


@lru_cache(maxsize=1)
def _server() -> ForkServerContext:
    """A process that has loaded mpops once and forks for each command: loading takes longer than most commands."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.cli.loaded"])
    return context


def _command(arguments: list[str], env: dict[str, str], folder: str, out: str, err: str) -> None:
    """In the forked process: all that a shell does for a command."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["app.py", *arguments]
    from app import main

    main()


def mpops(*arguments: str | Path, env: Mapping[str, str], folder: Path = ROOT) -> Ran:
    """A failure that the program foresaw never shows a traceback; this looks for one each time."""
    with tempfile.TemporaryDirectory(prefix="mpops-cli-") as place:
        out, err = Path(place) / "out", Path(place) / "err"
        process = _server().Process(
            target=_command, args=([*map(str, arguments)], dict(env), str(folder), str(out), str(err))
        )
        process.start()
        process.join(timeout=100)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise AssertionError(f"{arguments} did not end")
        ran = Ran(process.exitcode, out.read_text(), err.read_text())
    assert "Traceback" not in ran.err, ran.err
    for name, value in env.items():
        if name.startswith(("MPOPS_", "SANDBOX_")) and name.endswith(("SECRET", "_KEY", "TOKEN")) and len(value) > 5:
            assert value not in ran.said, f"{name} was told"
    return ran
