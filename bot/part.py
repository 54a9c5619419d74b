"""What one area of the house brings: its words, clicks, cards and work. All parts joined are what a process is made of.

An area makes its part in `handlers/<area>/part.py`; `app.py` names the areas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.drawing import Draw
from bot.engine import Job
from bot.inbox import OnEvent
from bot.router import Clickable, Command
from bot.schedule import OnDue, Scheduled, Sources, Sweep
from bot.unit import Unit

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Part:
    """Whatever an area does not have stays empty."""

    commands: tuple[Command, ...] = ()
    clickables: tuple[Clickable, ...] = ()
    drawings: Mapping[str, Draw] = field(default_factory=dict)  # by the kind of card
    jobs: Mapping[str, Job] = field(default_factory=dict)  # by name
    events: Mapping[type, OnEvent] = field(default_factory=dict)  # of Feishu; classes of bot/feishu/values.py
    deadlines: Mapping[str, OnDue] = field(default_factory=dict)  # who owns a kind of deadline
    standing: tuple[Scheduled, ...] = ()  # always by the clock
    sources: tuple[Sources, ...] = ()  # by the clock as rows say
    sweeps: tuple[Sweep, ...] = ()


def join(parts: Iterable[Part]) -> Part:
    """One part of all, everything in the order of the parts; whoever listens to the same event is called in turn.

    Raises ValueError where a name is given twice: one of the two would never be heard of again.
    """
    given = tuple(parts)
    commands = tuple(command for part in given for command in part.commands)
    clickables = tuple(clickable for part in given for clickable in part.clickables)
    standing = tuple(scheduled for part in given for scheduled in part.standing)
    _once("command", (word for command in commands for word in {name.casefold() for name in command.names}))
    _once("action", (clickable.name for clickable in clickables))
    _once("schedule", (scheduled.id for scheduled in standing))
    return Part(
        commands=commands,
        clickables=clickables,
        drawings=_united("card kind", (part.drawings for part in given)),
        jobs=_united("job", (part.jobs for part in given)),
        events=_heard(part.events for part in given),
        deadlines=_united("deadline kind", (part.deadlines for part in given)),
        standing=standing,
        sources=tuple(source for part in given for source in part.sources),
        sweeps=tuple(sweep for part in given for sweep in part.sweeps),
    )


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"the {what} {name!r} is brought twice: every {what} belongs to one part")
        seen.add(name)


def _united(what: str, mappings: Iterable[Mapping[str, _Value]]) -> dict[str, _Value]:
    pairs = [pair for mapping in mappings for pair in mapping.items()]
    _once(what, (name for name, _ in pairs))
    return dict(pairs)


def _heard(mappings: Iterable[Mapping[type, OnEvent]]) -> dict[type, OnEvent]:
    listeners: dict[type, list[OnEvent]] = {}
    for mapping in mappings:
        for event, handler in mapping.items():
            listeners.setdefault(event, []).append(handler)
    return {event: _in_turn(handlers) for event, handlers in listeners.items()}


def _in_turn(handlers: Sequence[OnEvent]) -> Callable[[Unit, Any], None]:
    def handle(unit: Unit, event: Any) -> None:
        for each in handlers:
            each(unit, event)

    return handle
