"""What the sandbox asks of a platform: the one seam between the sandbox and what is played in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from flask import Blueprint
from werkzeug.wrappers import Response

from sandbox.faults import CallFault, PushFault
from sandbox.panel import Action, Viewer

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that people see on a platform, as it was sent there: its type is not to be trusted."""

    content_type: str
    data: bytes


class Platform(Protocol):
    """One platform: HTTP for the program under test, people and customers for the console and for tests.

    It is made of a `World`, whose lock guards its state. A platform says that it is one by this class as a base, and
    leaves alone whatever has an answer here and does not concern it.
    """

    name: str  # what it is called in faults, in the log of calls and as an attribute of the sandbox
    title: Mapping[str, str]  # what people call it, by the page's languages: zh, en
    prefixes: tuple[str, ...]  # of the paths that it answers; none lies below one of another platform
    secret_paths: tuple[str, ...] = ()  # parts of paths: what is sent there is not written down
    faults: tuple[CallFault | PushFault, ...]  # what can go wrong with it on demand

    # Its face to the program under test

    def blueprint(self) -> Blueprint:
        """All its routes, below `prefixes`; asked for once."""
        ...

    def error_answer(self, kind: CallFault) -> Response:
        """Its own words for TOO_MANY, SERVER_ERROR and ERROR_AFTER."""
        ...

    def start(self) -> None:
        """Begin what runs beside HTTP."""
        return

    def stop(self) -> None:
        """End what `start` began, also when it was never called."""
        return

    # Its place on the console's page

    def actions(self) -> Mapping[str, Action[Any]]:
        """What can be made to happen there, by names that no other platform uses."""
        return {}

    def page(self, who: Viewer) -> Mapping[str, Any]:
        """What it shows this viewer, as plain JSON; its keys stand beside those of the other platforms."""
        return {}

    def books_page(self) -> Mapping[str, Any] | None:
        """What really happened there, as plain JSON; None when it keeps no books."""
        return None

    def picture(self, key: str) -> Picture | None:
        """A picture that `page` names; None when it knows of none."""
        return None

    # What a demo wants of it, in this order

    def found_company(self) -> Mapping[str, Any]:
        """Make what the small company has there; the answer is what of it `Company` names, and how."""
        return {}

    def equip(self, folder: Path) -> None:
        """Write the files that the program under test reads beside its set-up."""
        return

    def environment(self) -> Mapping[str, str]:
        """The variables by which the program under test finds the platform, and its secrets there."""
        return {}

    def connect(self, program: str) -> None:
        """Push to the program under test from now on; it answers at this address."""
        return


def united(what: str, mappings: Iterable[Mapping[str, _Value]]) -> dict[str, _Value]:
    """All in one. Raises ValueError where a name is given twice: one of the two would never be seen again."""
    found: dict[str, _Value] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            if name in found:
                raise ValueError(f"the {what} {name!r} is given twice")
            found[name] = value
    return found
