"""Work that the engine runs. Read by whoever registers it there, and by whoever tries a failed job again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.contributions.base import Contribution
from bot.engine import Payload


@dataclass(frozen=True, slots=True)
class Job(Contribution):
    """`name` is stored with the work. It may run twice, so it looks at its rows first."""

    name: str
    run: Callable[[Payload], None]

    def identifiers(self) -> tuple[str, ...]:
        return (self.name,)
