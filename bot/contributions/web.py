"""Further addresses of the web server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.contributions.base import Contribution

if TYPE_CHECKING:  # processes without a web server do not load it
    from flask import Blueprint


@dataclass(frozen=True, slots=True)
class Routes(Contribution):
    """A Flask blueprint, made once for each web server. Whoever brings it says who may ask."""

    name: str
    blueprint: Callable[[], Blueprint]

    def identifiers(self) -> tuple[str, ...]:
        return (self.name,)
