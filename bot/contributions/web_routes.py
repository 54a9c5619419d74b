"""Further addresses of the web server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.contributions.base import Named

if TYPE_CHECKING:  # processes without a web server do not load it
    from flask import Blueprint


@dataclass(frozen=True, slots=True)
class Routes(Named):
    """A Flask blueprint, made once for each web server. Whoever brings it says who may ask."""

    blueprint: Callable[[], Blueprint]
