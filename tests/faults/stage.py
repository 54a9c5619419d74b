"""A sandbox and the bot's processes, which may be killed at any moment and are started again by a keeper."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from sqlalchemy import create_engine, text

from sandbox.demo import ROOT, Demo
from tests.faults.moments import Moments

APP = [sys.executable, str(ROOT / "app.py")]


class NotReached(AssertionError):
    """What was waited for did not happen in time."""


class Stage(Demo):
    """One bot process (`serve`) beside the sandbox. `with Stage(...)` starts it and stops everything.

    `SPARING`: on PostgreSQL it looks for others' work less often than usual. Several processes that look all the time
    leave the machine no time for anything else.
    """

    SPARING = True

    def __init__(self, folder: Path, database: str = "", app: Sequence[str] = APP) -> None:
        super().__init__(0, app, database, folder)
        self.app = list(app)
        if database and self.SPARING:
            self.settings["MPOPS_QUEUE_POLL"] = "0.2"
        self.moments = Moments(self.sandbox.world)
        self.strikes: list[str] = []
        self.deaths = 0  # of itself, not struck by us
        self._closing = threading.Event()
        self._hit = threading.Lock()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    @property
    def database_url(self) -> str:
        return self.environment()["MPOPS_DATABASE_URL"]

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        self._keeper.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        self._keeper.join(timeout=70)
        self.stop()
        if error is not None:
            print(f"\nstruck: {self.strikes}\nlog: {self.folder / 'bot.log'}", file=sys.stderr)  # noqa: T201

    def strike(self, where: str) -> None:
        """Kill the bot as a power cut would; the keeper starts it again."""
        if self._closing.is_set() or not self._hit.acquire(blocking=False):
            return
        try:
            self.strikes.append(where)
            self.kill()
        finally:
            self._hit.release()

    def replace(self, app: Sequence[str], how: signal.Signals) -> None:
        """End the bot; the keeper starts that program in its place."""
        self.app = self._command = list(app)
        with self._hit:
            self.strikes.append("replaced")
            self.process().send_signal(how)
            self.process().wait(timeout=60)

    def _keep(self) -> None:
        struck = 0
        while not self._closing.wait(0.02):
            if self.alive():
                continue
            if len(self.strikes) == struck and not self._cut_at_its_start():
                self.deaths += 1
            struck = len(self.strikes)
            try:
                if self.deaths < 3:
                    self.restart()
            except RuntimeError:
                continue  # killed again before it was ready, or it cannot start; the next round tells

    def _cut_at_its_start(self) -> bool:
        """The database went away while the bot was starting: it said so and ended, for its keeper to start it again."""
        lines = (self.folder / "bot.log").read_bytes().splitlines()
        return bool(lines) and lines[-1].startswith(b"Error: The database cannot be used")

    def pause(self) -> None:
        """Kill the bot and let it lie."""
        self._closing.set()
        self._keeper.join(timeout=70)
        self.kill()

    def process(self) -> subprocess.Popen[bytes]:
        if self._bot is None:
            raise RuntimeError("the bot was not started")
        return self._bot

    def cli(self, *arguments: str, app: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """A command of the program that the stage runs, or of another one."""
        return subprocess.run(
            [*(app or self.app), *arguments], env=self.environment(), capture_output=True, text=True, check=False,
            timeout=100,
        )  # fmt: skip

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.bot_url}/readyz", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


class Fleet(Stage):
    """`serve --web-only` and workers of their own names, on one PostgreSQL."""

    def __init__(
        self, folder: Path, database: str, workers: Sequence[str] = ("worker-0", "worker-1"), app: Sequence[str] = APP
    ) -> None:
        super().__init__(folder, database, app)
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._names = tuple(workers)

    def restart(self) -> None:
        if not self.workers:
            self.cli("migrate").check_returncode()
        if not self.alive():
            self._bot = self.spawn("web-0", "serve", "--web-only")
        began = datetime.now(UTC)
        fresh = [name for name in self._names if name not in self.workers]
        for name in fresh:
            self.workers[name] = self.spawn(name, "worker")
        wait_for(self.ready, 60, "the web process to be ready")
        # The engine runs before the rest does, and a start that is broken off is begun anew by whoever keeps processes.
        for name in fresh:
            wait_for(lambda name=name: self.started(name, began), 60, f"{name} to be ready", every=0.2)

    def spawn(self, executor: str, *arguments: str, app: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        environment = {**self.environment(), "MPOPS_EXECUTOR": executor, **self.settings_of(executor)}
        return subprocess.Popen([*(app or self.app), *arguments], env=environment, stdout=self._log, stderr=self._log)

    def asked(self, query: str, **params: object) -> list[str]:
        """The first column of what the database answers."""
        engine = create_engine(self.database_url)
        with engine.connect() as connection:
            rows = connection.execute(text(query), params).all()
        engine.dispose()
        return [str(row[0]) for row in rows]

    def started(self, name: str, since: datetime) -> bool:
        query = "SELECT name FROM process WHERE name = :name AND role = 'worker' AND started_at >= :since"
        return self.asked(query, name=name, since=since) != []

    def in_hand(self, name: str, jobs: str = "%") -> list[str]:
        """The jobs (LIKE) that this worker has begun and not ended, by the book."""
        query = "SELECT workflow_uuid FROM dbos.workflow_status WHERE status = 'PENDING' AND executor_id = :name"
        return self.asked(f"{query} AND workflow_uuid LIKE :jobs", name=name, jobs=jobs)

    def settings_of(self, executor: str) -> dict[str, str]:
        """What one of the processes has otherwise than the others."""
        return {}

    def stop(self) -> None:
        for process in self.workers.values():
            if process.poll() is None:
                process.terminate()
        for process in self.workers.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        super().stop()


def wait_for(met: Callable[[], object], seconds: float, what: str, every: float = 0.05) -> None:
    until = time.monotonic() + seconds
    while not met():
        if time.monotonic() > until:
            raise NotReached(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)


def jump(stage: Demo, chance: random.Random) -> timedelta:
    """Move everybody's clock a little, either way."""
    by = timedelta(seconds=chance.choice((-40, -7, 9, 55)))
    stage.sandbox.world.clock.advance(by)
    return by
