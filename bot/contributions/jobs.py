"""Work that the engine runs. Read by whoever registers it there, and by whoever tries a failed job again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.contributions.base import Named
from bot.jobs.engine import Payload


@dataclass(frozen=True, slots=True)
class Job(Named):
    """`name` is stored with the work. It may run twice, so it looks at its rows first."""

    run: Callable[[Payload], None]
