"""What a measurement ran on: figures of two machines are not compared, ratios of one run are."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version


@dataclass(frozen=True, slots=True)
class Machine:
    at: str
    system: str
    cores: int
    python: str
    load: float  # of the minute before: how much others were using
    packages: dict[str, str]


def this_machine() -> Machine:
    return Machine(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        system=f"{platform.system()} {platform.machine()}",
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
        packages={name: version(name) for name in ("dbos", "flask", "lark-oapi", "sqlalchemy", "waitress")},
    )
