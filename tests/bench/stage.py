"""What every measurement gets: how long, which databases, and where its files go."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.demo import Demo
from tests.bench.processes import APP
from tests.faults.postgres import Postgres

SQLITE, POSTGRES = "sqlite", "postgres"


@dataclass(slots=True)
class Stage:
    """`seconds` is the length of one turn; `rounds` how often everything has its turn."""

    seconds: float
    rounds: int
    databases: tuple[str, ...]
    folder: Path
    complaints: tuple[int, int]  # of the smaller and of the larger database
    say: Callable[[str], None]
    faults: int = 1000  # of the campaign, over all databases
    _postgres: list[Postgres] = field(default_factory=list)

    def database(self, kind: str) -> str:
        """The address of a new, empty database; PostgreSQL as it comes, so with every commit on the disk."""
        if kind == SQLITE:
            return f"sqlite:///{self.room('databases') / f'{secrets.token_hex(6)}.db'}"
        if not self._postgres:
            self._postgres.append(Postgres())
        return self._postgres[0].database()

    def room(self, name: str) -> Path:
        room = self.folder / "work" / name
        room.mkdir(parents=True, exist_ok=True)
        return room

    def demo(self, name: str, kind: str) -> Demo:
        """The sandbox in this process with the bot beside it, not started."""
        return Demo(0, APP, self.database(kind), self.room(name) / kind)

    def scaled(self, many: int, fewest: int) -> int:
        """How many for turns of this length; `many` are for five seconds and more."""
        return max(fewest, int(many * min(1.0, self.seconds / 5)))

    def progress(self, told: str) -> None:
        if sys.stderr.isatty():
            self.say(f"   … {told}")

    def close(self) -> None:
        for server in self._postgres:
            server.__exit__(None, None, None)
        self._postgres.clear()
        shutil.rmtree(self.folder / "work" / "databases", ignore_errors=True)
