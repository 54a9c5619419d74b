"""What people can ask for: commands they type and buttons they press. Read by the router, by help and by the doors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pydantic import BaseModel

from bot.cards.values import Action
from bot.contributions.base import Contribution, Named
from bot.contributions.permissions import Permission
from bot.feishu.port import Receiver
from bot.permissions import Actor
from bot.texts import Text
from bot.unit import Unit


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a command came from."""

    actor: Actor
    chat: Receiver  # where answers go
    chat_id: str
    is_group: bool
    message_id: str
    mentions: tuple[tuple[str, str], ...] = ()  # (open id, name) of people named in the message


@dataclass(frozen=True, slots=True)
class Clicked:
    """A click on a card: who, where, on what, and what was filled in."""

    actor: Actor
    chat_id: str
    message_id: str
    action: Action
    option: str = ""
    form: Mapping[str, str] = field(default_factory=dict)


class NoArguments(BaseModel):
    """A command that takes none."""


RunCommand: TypeAlias = Callable[[Unit, Asked, Any], None]
RunClick: TypeAlias = Callable[[Unit, Clicked], None]
CheckClick: TypeAlias = Callable[[Unit, Clicked], Text | None]


@dataclass(frozen=True, slots=True)
class Command(Contribution):
    """`names`: the first is shown, the rest are aliases. `help` is one sentence, `usage` examples to copy."""

    names: tuple[str, ...]
    permission: Permission | None
    arguments: type[BaseModel]
    run: RunCommand
    help: Text
    usage: Text | None = None

    def identifiers(self) -> tuple[str, ...]:
        return tuple({name.casefold(): name for name in self.names})


@dataclass(frozen=True, slots=True)
class Click(Named):
    """What a button or form does.

    `check` looks before the click is answered: a refusal becomes the toast and nothing else happens; the text it
    gives is the toast of a click that will be carried out.
    """

    permission: Permission | None
    run: RunClick
    check: CheckClick | None = None
    done: Text | None = None  # the toast when there is no check
