"""The sandbox with the small company, and a program under test beside it, started by command lines it is given."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar

import httpx

from sandbox.company import found
from sandbox.platform import united
from sandbox.ports import free_port, is_free
from sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path("var/demo")


class Demo:
    """`command` starts the program under test; it understands `apply FILE` and `serve`.

    `settings` are added to the environment that the program gets. `witnesses` are called with each demo that has been
    stopped, while its folder is still there.
    """

    witnesses: ClassVar[list[Callable[[Demo], None]]] = []

    def __init__(self, port: int, command: Sequence[str], database: str = "", folder: Path = FOLDER) -> None:
        self.folder = folder.resolve()
        _make(self.folder.parent)
        self._lock = _only_one(self.folder)
        if port and not is_free(port):
            self._lock.close()
            raise RuntimeError(f"Port {port} is taken by another program. Choose another: make demo PORT={port + 1}")
        shutil.rmtree(self.folder, ignore_errors=True)
        _make(self.folder)
        self.sandbox = Sandbox(offset_file=self.folder / "clock-offset", port=port)
        self.company = found(self.sandbox.platforms)
        self.bot_port = free_port()
        # One tester plays a whole company, as fast as scripts are: that is not held against anybody.
        self.settings = {"MPOPS_TURNS__BURST": "0"}
        self._command = list(command)
        self._database = database or f"sqlite:///{self.folder / 'mpops.db'}"
        self._secret = secrets.token_urlsafe(32)
        self._bot: subprocess.Popen[bytes] | None = None
        self._log = (self.folder / "bot.log").open("ab")

    @property
    def bot_url(self) -> str:
        return f"http://127.0.0.1:{self.bot_port}"

    def start(self) -> str:
        """Start everything; the console's address. RuntimeError when the bot does not come up."""
        self.sandbox.start()
        for platform in self.sandbox.platforms:
            platform.equip(self.folder)
        shutil.copy(ROOT / "examples" / "demo.toml", self.folder / "demo.toml")
        applied = subprocess.run(
            [*self._command, "apply", str(self.folder / "demo.toml")],
            env=self.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if applied.returncode:
            raise RuntimeError(f"The demo's set-up was refused:\n{applied.stdout}{applied.stderr}")
        self.restart()
        self.connect()
        return self.sandbox.url

    def connect(self) -> None:
        """Tell the platforms where the bot is."""
        for platform in self.sandbox.platforms:
            platform.connect(self.bot_url)

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MPOPS_")}
        return {
            **inherited,
            "MPOPS_DATABASE_URL": self._database,
            "MPOPS_SECRET_KEY": self._secret,
            "MPOPS_HTTP__PORT": str(self.bot_port),
            "MPOPS_HTTP__PUBLIC_URL": self.bot_url,
            "MPOPS_CLOCK_OFFSET_FILE": str(self.folder / "clock-offset"),
            "SANDBOX_URL": self.sandbox.url,
            **united("variable", [platform.environment() for platform in self.sandbox.platforms]),
            **self.settings,
        }

    def restart(self) -> None:
        self._bot = subprocess.Popen(
            [*self._command, "serve"], env=self.environment(), stdout=self._log, stderr=self._log
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self._bot.poll() is not None:
                raise RuntimeError(f"The bot did not start; see {self.folder / 'bot.log'}")
            try:
                if httpx.get(f"{self.bot_url}/readyz", timeout=2, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"The bot was not ready within a minute; see {self.folder / 'bot.log'}")

    @property
    def pid(self) -> int:
        """The process of the program under test."""
        if self._bot is None:
            raise RuntimeError("the bot was not started")
        return self._bot.pid

    def alive(self) -> bool:
        return self._bot is not None and self._bot.poll() is None

    def kill(self) -> None:
        """As a power cut would: no time to finish anything."""
        if self._bot is not None:
            self._bot.kill()
            self._bot.wait()

    def stop(self) -> None:
        if self._bot is not None and self._bot.poll() is None:
            self._bot.terminate()
            try:
                self._bot.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._bot.kill()
                self._bot.wait()
        self.sandbox.stop()
        self._log.close()
        self._lock.close()
        for witness in self.witnesses:
            witness(self)


def _make(folder: Path) -> None:
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(0o700)  # keys, customers and the log of the program lie in it


def _only_one(folder: Path) -> BinaryIO:
    """Held as long as it is open: a second demo would take the folder from under the first one. RuntimeError."""
    lock = folder.with_name(f"{folder.name}.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise RuntimeError(f"A demo is running already, with its data in {folder}. Stop it first.") from None
    return lock
