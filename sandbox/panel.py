"""What a press on the console's page is: who presses, what comes with it, what it does. Platforms bring their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(max_length=200_000)]


class NotPossible(Exception):
    """The sandbox's world does not allow it; the text says why."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who presses, and which chat is open; both may be unknown."""

    me: str
    chat: str


class Body(BaseModel):
    """What comes with a press; whatever else an action wants is a field of its own body."""

    model_config = ConfigDict(extra="forbid")
    chat: Annotated[str, StringConstraints(max_length=200)] = ""


Given = TypeVar("Given", bound=Body)
Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Action(Generic[Given]):
    """`work` raises NotPossible, or ValueError for what somebody may not do now, or KeyError for what is not there."""

    body: type[Given]
    work: Callable[[Viewer, Given], Answer | None]

    def run(self, who: Viewer, given: Mapping[str, Any]) -> Answer:
        """The answer to the page. Raises ValidationError when something is missing, too much or of a wrong shape."""
        return self.work(who, self.body.model_validate(given)) or {}
