"""Who listens to what channels push. Read by the work on stored pushes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.contributions.base import Contribution
from bot.unit import Unit


@dataclass(frozen=True, slots=True)
class OnPush(Contribution):
    """`told`: the class of what a channel tells (`adapters.values`); `run` is given the account's key and the value."""

    told: type
    run: Callable[[Unit, str, Any], None]
