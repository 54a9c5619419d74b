"""Areas declare, hubs ask: what an area of the house is, and all of them together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from bot.contributions.base import Contribution
from bot.contributions.events import OnEvent
from bot.contributions.permissions import PermissionSpec
from bot.permissions import Roles
from bot.texts import Text

_C = TypeVar("_C", bound=Contribution)


@dataclass(frozen=True, slots=True)
class Area:
    """One area of the house. `title` heads its commands in help; `brings`: whatever hubs may ask it for."""

    name: str
    title: Text | None
    brings: tuple[Contribution, ...] = ()


class Areas:
    """All areas of a process, in the order in which they were added. Whoever reads contributions asks here.

    It is filled before the process starts and does not change afterwards.
    """

    def __init__(self, *areas: Area) -> None:
        self._areas: list[Area] = []
        self._brought: dict[type[Contribution], tuple[tuple[Area, Contribution], ...]] = {}
        self._by_key: dict[type[Contribution], dict[str, Contribution]] = {}
        self._listeners: dict[type, tuple[Callable[[Any, Any], None], ...]] = {}
        self.roles = Roles(())
        self.add(*areas)

    def add(self, *areas: Area) -> None:
        """Raises ValueError where a name is given twice: one of the two would never be heard of again."""
        together = [*self._areas, *areas]
        _once("area", [(area.name, area.name) for area in together])
        for kind in {type(one) for area in together for one in area.brings}:
            brought = [(area.name, one) for area in together for one in area.brings if type(one) is kind]
            _once(kind.__name__, [(key, name) for name, one in brought for key in one.identifiers()])
        self._areas = together
        self._brought.clear()
        self._by_key.clear()
        listeners: dict[type, tuple[Callable[[Any, Any], None], ...]] = {}
        for on in self.of(OnEvent):
            listeners[on.event] = (*listeners.get(on.event, ()), on.run)
        self._listeners = listeners
        self.roles = Roles(self.of(PermissionSpec))

    def of(self, kind: type[_C]) -> tuple[_C, ...]:
        """All contributions of that class, by their place and then in the order of the areas."""
        return tuple(one for _, one in self.with_areas(kind))

    def with_areas(self, kind: type[_C]) -> tuple[tuple[Area, _C], ...]:
        """The same, each with the area that brings it."""
        found = self._brought.get(kind)
        if found is None:
            pairs = [(area, one) for area in self._areas for one in area.brings if type(one) is kind]
            found = self._brought[kind] = tuple(sorted(pairs, key=lambda pair: pair[1].place))
        return cast("tuple[tuple[Area, _C], ...]", found)

    def named(self, kind: type[_C], key: str) -> _C | None:
        """The contribution of that class which has this key."""
        found = self._by_key.get(kind)
        if found is None:
            found = self._by_key[kind] = {each: one for one in self.of(kind) for each in one.identifiers()}
        return cast("_C | None", found.get(key))

    def listeners(self, event: type) -> tuple[Callable[[Any, Any], None], ...]:
        """Who listens to events of that class, in turn. Empty: nobody."""
        return self._listeners.get(event, ())


def _once(what: str, keys: list[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for key, area in keys:
        if key in seen:
            raise ValueError(f"the {what} {key!r} is brought twice, by {seen[key]} and by {area}")
        seen[key] = area
