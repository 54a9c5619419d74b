"""What the console's page shows, as plain JSON. Times are milliseconds since 1970, amounts are fen."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sandbox.calls import Call
from sandbox.faults import CallFault, Fault, PushFault
from sandbox.panel import Viewer
from sandbox.platform import Platform, united
from sandbox.world import World


def state(
    world: World, platforms: Sequence[Platform], who: Viewer, version: int, since: int, *, charts: bool
) -> dict[str, Any]:
    """Time, faults and new calls always; the world only when it changed since `version` of it."""
    told: dict[str, Any] = {
        "version": world.version,  # read first: a change meanwhile is told again next time
        "now": _millis(world.clock.now()),
        "offset": world.clock.offset.total_seconds(),
        "faults": [_fault(fault) for fault in world.faults.active()],
        "calls": [_call(call) for call in world.calls.since(since)],
    }
    if version == told["version"]:
        return {**told, "unchanged": True}
    pages = united("key of the page", [_around(platforms, charts), *(one.page(who) for one in platforms)])
    return {**told, "world": pages}


def _around(platforms: Sequence[Platform], charts: bool) -> dict[str, Any]:
    played = {kind for platform in platforms for kind in platform.faults}
    books = {platform.name: platform.books_page() for platform in platforms}
    return {
        "platforms": [platform.name for platform in platforms],
        "titles": {platform.name: dict(platform.title) for platform in platforms},
        "fault_kinds": [{"kind": kind.value, "push": False} for kind in CallFault if kind in played]
        + [{"kind": kind.value, "push": True} for kind in PushFault if kind in played],
        "books": {name: told for name, told in books.items() if told is not None},
        "charts": charts,
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {**dataclasses.asdict(fault), "kind": fault.kind.value}


def _call(call: Call) -> dict[str, Any]:
    return {**dataclasses.asdict(call), "at": _millis(call.at)}


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
