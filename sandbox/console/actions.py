"""What a press on the page does to the sandbox: what platforms bring, and what concerns none of them: clock, faults."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from sandbox.faults import CallFault, Fault, PushFault
from sandbox.panel import Action, Answer, Body, Id, NotPossible, Viewer
from sandbox.platform import Platform, united
from sandbox.world import World

ZONE = ZoneInfo("Asia/Shanghai")


class Advance(Body):
    seconds: Annotated[float, Field(ge=-31_536_000, le=31_536_000)] | None = None
    to: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    tomorrow: bool = False


class NewFault(Body):
    platform: Id
    kind: CallFault | PushFault
    path: Annotated[str, StringConstraints(max_length=200)] = ""
    times: Annotated[int, Field(ge=-1, le=1000)] = 1
    seconds: Annotated[float, Field(ge=0, le=86_400)] = 0.0


class ClearFaults(Body):
    platform: str = ""


def actions(world: World, platforms: Collection[Platform]) -> Mapping[str, Action[Any]]:
    """By name. Raises ValueError where a name is given twice."""
    own = _Own(world, {platform.name for platform in platforms})
    return united("action", [own.actions(), *(platform.actions() for platform in platforms)])


class _Own:
    def __init__(self, world: World, platforms: Collection[str]) -> None:
        self._world, self._platforms = world, platforms

    def actions(self) -> Mapping[str, Action[Any]]:
        return {
            "advance": Action(Advance, self._advance),
            "fault": Action(NewFault, self._fault),
            "fault/clear": Action(ClearFaults, self._clear_faults),
        }

    def _advance(self, who: Viewer, given: Advance) -> Answer:
        """By seconds, or to the next time that a clock on the wall shows `to`; `tomorrow`: not today any more."""
        clock = self._world.clock
        if given.to is not None:
            hour, minute = (int(part) for part in given.to.split(":"))
            now = clock.now().astimezone(ZONE)
            target = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
            if given.tomorrow or target <= now:
                target += timedelta(days=1)
            by = target - now
        elif given.seconds is not None:
            by = timedelta(seconds=given.seconds)
        else:
            raise NotPossible("seconds or to")
        return {"now": int(clock.advance(by).timestamp() * 1000)}

    def _fault(self, who: Viewer, given: NewFault) -> None:
        if given.platform not in self._platforms:
            raise NotPossible(f"no platform {given.platform}")
        if given.times == 0:
            raise NotPossible("times: -1 for always, or how often")
        new = Fault(given.platform, given.kind, path=given.path, times=given.times, seconds=given.seconds)
        self._world.faults.add(new)

    def _clear_faults(self, who: Viewer, given: ClearFaults) -> None:
        self._world.faults.clear(given.platform)
