"""Calls that change something outside. Read where somebody asks what became of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.contributions.base import Contribution
from bot.unit import Unit
from storage.core.effects import Effect as EffectRow


@dataclass(frozen=True, slots=True)
class Effect(Contribution):
    """`timer`: the deadline (kind, subject) behind which the platform is asked what became of a call; None: none is."""

    action: str
    timer: Callable[[Unit, EffectRow], tuple[str, str] | None]

    def identifiers(self) -> tuple[str, ...]:
        return (self.action,)
