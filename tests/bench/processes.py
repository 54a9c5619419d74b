"""The programs under test as processes of their own: started, asked whether they are ready, weighed, stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from secrets import token_urlsafe
from types import TracebackType

import httpx
import psutil  # type: ignore[import-untyped]  # publishes no types

ROOT = Path(__file__).resolve().parents[2]
APP = (sys.executable, str(ROOT / "app.py"))
KEY = token_urlsafe(32)
_PATIENCE = 90.0  # seconds


class DidNotStart(Exception):
    """A program under test ended or was not ready in time; its log is named."""


class Program:
    """One process with its log; `with` stops it. `ready_in` is seconds from the start to the first good answer."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str], ready: str = "") -> None:
        """`ready`: an address that answers 200 when the program is ready, or a word that it writes into its log."""
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self._ready = ready
        self._environment = dict(environment)
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self.ready_in = 0.0

    def __enter__(self) -> Program:
        self._log.write_bytes(b"")
        started = time.perf_counter()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log, cwd=ROOT)
        try:
            while not self._is_ready():
                if self._process.poll() is not None or time.perf_counter() - started > _PATIENCE:
                    raise DidNotStart(f"{' '.join(self._command[1:])} was not ready; see {self._log}")
                time.sleep(0.01)
        except BaseException:
            self._end()
            raise
        self.ready_in = time.perf_counter() - started
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def setting(self, name: str) -> str:
        return self._environment[name]

    def _is_ready(self) -> bool:
        if not self._ready.startswith("http"):
            return self._ready.encode() in self._log.read_bytes()
        try:
            return httpx.get(self._ready, timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def _end(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def once(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run a command to its end; what it printed. Raises DidNotStart where it fails."""
    done = subprocess.run(
        list(command), env=dict(environment), capture_output=True, text=True, check=False, cwd=ROOT, timeout=300
    )
    if done.returncode:
        raise DidNotStart(f"{' '.join(command[1:])} failed: {done.stderr[-800:]}")
    return done.stdout


def megabytes(pid: int) -> float:
    """Memory that a process holds now (resident set)."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used since it began."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def environment(database: str, port: int, **more: str) -> dict[str, str]:
    """Settings of a bot that needs no platform; nothing of the caller's own settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MPOPS_")}
    return {
        **inherited,
        "MPOPS_DATABASE_URL": database,
        "MPOPS_SECRET_KEY": KEY,
        "MPOPS_FEISHU__APP_ID": "cli_bench",
        "MPOPS_FEISHU__APP_SECRET": "bench",
        "MPOPS_HTTP__PORT": str(port),
        **more,
    }


def until(met: Callable[[], object], seconds: float, what: str, every: float = 0.02) -> None:
    """Wait until `met` says so; DidNotStart after `seconds`."""
    ends = time.monotonic() + seconds
    while not met():
        if time.monotonic() > ends:
            raise DidNotStart(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)
