"""Which measurements there are, and running them one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

from tests.bench.machine import this_machine
from tests.bench.stage import POSTGRES, SQLITE, Stage
from tests.bench.table import Measured

NAMES = (
    "start", "idle", "ack", "unhandled", "click", "crowd", "command", "backlog", "pushes", "memory", "outbox", "sync",
    "replicas", "growth",
)  # fmt: skip
LONG = ("faults",)  # only when asked for by name
_MODULES = {"click": "clicks"}
FOLDER = Path("var/bench")


def bench(
    names: Iterable[str] = (),
    *,
    seconds: float = 5.0,
    rounds: int = 3,
    database: str = "both",
    complaints: tuple[int, int] = (10_000, 100_000),
    faults: int = 1000,
    folder: Path = FOLDER,
    say: Callable[[str], None] = print,
) -> list[Measured]:
    """Run these measurements, or all; ValueError for a name that is none. What they find is also under `folder`."""
    chosen = tuple(names) or NAMES
    for name in chosen:
        if name not in NAMES + LONG:
            raise ValueError(f"there is no bench {name!r}; there are: {' '.join(NAMES + LONG)}")
    databases = (SQLITE, POSTGRES) if database == "both" else (database,)
    stage = Stage(seconds, rounds, databases, folder.resolve(), complaints, say, faults)
    machine = this_machine()
    say(f"{machine.system}, {machine.cores} cores, Python {machine.python}, load of the last minute {machine.load}")
    found: list[Measured] = []
    try:
        for name in chosen:
            measured: Measured = import_module(f"tests.bench.{_MODULES.get(name, name)}").measure(stage)
            file = measured.write(stage.folder, this_machine(), seconds)
            say(f"\n{measured.table()}\n  {file}")
            found.append(measured)
    finally:
        stage.close()
    return found
