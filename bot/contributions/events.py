"""Who listens to what happened: events of Feishu, and those that areas emit. Read by the inbox and by `Unit.emit`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.contributions.base import Contribution


@dataclass(frozen=True, slots=True)
class OnEvent(Contribution):
    """`run` is called with the unit of work and the event, in the transaction in which the event happens.

    The parameters of `run` are not typed here: units of work stand on this module.
    """

    event: type
    run: Callable[[Any, Any], None]
