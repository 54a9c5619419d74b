"""Words, actions and permissions in one table: help, aliases, "did you mean" and authorisation all read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError

from bot.cards.values import Action
from bot.feishu.port import Receiver
from bot.permissions import Actor, Permission
from bot.refusals import Refused
from bot.texts import Text, text
from bot.turns import UNLIMITED, Turns
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
RunAction: TypeAlias = Callable[[Unit, Clicked], None]
CheckAction: TypeAlias = Callable[[Unit, Clicked], Text | None]


@dataclass(frozen=True, slots=True)
class Command:
    """`names`: the first is shown, the rest are aliases. `help` is one sentence, `usage` an example to copy."""

    names: tuple[str, ...]
    permission: Permission | None
    arguments: type[BaseModel]
    run: RunCommand
    help: Text
    usage: tuple[str, ...] = ()
    area: str = ""


@dataclass(frozen=True, slots=True)
class Clickable:
    """What a button or form does.

    `check` looks before the click is answered: a refusal becomes the toast and nothing else happens; the text it
    gives is the toast of a click that will be carried out.
    """

    name: str
    permission: Permission | None
    run: RunAction
    check: CheckAction | None = None
    done: Text | None = None  # the toast when there is no check


class UnknownCommand(Refused):
    def __init__(self, word: str, guesses: tuple[str, ...]) -> None:
        if guesses:
            reason = text("command.did_you_mean", word=word[:40], guesses=" ".join(f"/{guess}" for guess in guesses))
        else:
            reason = text("command.unknown", word=word[:40])
        super().__init__(reason)
        self.guesses = guesses


class Router:
    def __init__(
        self, commands: Iterable[Command], clickables: Iterable[Clickable], turns: Turns | None = None
    ) -> None:
        """Without `turns` everybody may ask as much as they like."""
        self.turns = turns or Turns(UNLIMITED, UNLIMITED)
        self.commands = tuple(commands)
        self._words: dict[str, Command] = {}
        self._clickables: dict[str, Clickable] = {}
        for command in self.commands:
            for name in command.names:
                if self._words.setdefault(name.casefold(), command) is not command:
                    raise ValueError(f"two commands are called {name!r}")
        for clickable in clickables:
            if self._clickables.setdefault(clickable.name, clickable) is not clickable:
                raise ValueError(f"two actions are called {clickable.name!r}")

    def knows(self, word: str) -> bool:
        return word in self._words

    def find(self, word: str, actor: Actor) -> Command:
        """Raises Refused: unknown (with guesses among what this person may do) or not allowed."""
        command = self._words.get(word)
        if command is None:
            allowed = [name for name, known in self._words.items() if actor.may(known.permission)]
            raise UnknownCommand(word, self._guess(word, allowed))
        if not actor.may(command.permission):
            raise Refused(not_allowed(command.permission, actor))
        return command

    def permitted(self, actor: Actor) -> list[Command]:
        return [command for command in self.commands if actor.may(command.permission)]

    def clickable(self, name: str) -> Clickable | None:
        return self._clickables.get(name)

    def _guess(self, word: str, allowed: list[str]) -> tuple[str, ...]:
        near = get_close_matches(word, allowed, n=6, cutoff=0.5)
        # In Chinese one wrong character of two is already half the word.
        near += [name for name in allowed if len(word) >= 2 and (word in name or name in word) and name not in near]
        shown: list[str] = []
        for name in near:
            first = self._words[name].names[0]
            best = first if not name.isascii() else name
            if best not in shown and not (first in shown and not name.isascii()):
                shown.append(best)
        return tuple(shown[:3])


def not_allowed(permission: Permission | None, actor: Actor) -> Text:
    if actor.is_stranger:
        return text("command.stranger")
    return text("command.not_allowed", permission=text(f"permission.{permission}"))


def arguments(command: Command, given: tuple[str, ...]) -> BaseModel:
    """Typed arguments: in the order of the fields, or named as `field=value`. Raises Refused with the usage."""
    fields = list(command.arguments.model_fields.items())
    taken: dict[str, str] = {}
    rest: list[str] = []
    names = {alias.casefold(): name for name, field in fields for alias in (name, *(_aliases(field)))}
    for part in given:
        label, equals, value = part.partition("=")
        if equals and label.casefold() in names:
            taken[names[label.casefold()]] = value
        else:
            rest.append(part)
    for name, known in fields:
        if name in taken or not rest:
            continue
        if (known.json_schema_extra or {}).get("rest") if isinstance(known.json_schema_extra, dict) else False:
            taken[name] = " ".join(rest)
            rest.clear()
        else:
            taken[name] = rest.pop(0)
    if rest:
        raise Refused(text("command.too_many", extra=" ".join(rest)[:60], usage=_usage(command)))
    try:
        return command.arguments.model_validate(taken)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        missing = [str(problem["loc"][0]) for problem in problems if problem["type"] == "missing"]
        if missing:
            title = " ".join(_title(command, name) for name in missing)
            raise Refused(text("command.missing", missing=title, usage=_usage(command))) from None
        wrong = str(problems[0]["loc"][0]) if problems[0]["loc"] else ""
        raise Refused(
            text(
                "command.wrong", argument=_title(command, wrong), given=taken.get(wrong, "")[:60], usage=_usage(command)
            )
        ) from None


def _aliases(field: Any) -> tuple[str, ...]:
    return (field.title,) if field.title else ()


def _title(command: Command, name: str) -> str:
    field = command.arguments.model_fields.get(name)
    return field.title if field is not None and field.title else name


def _usage(command: Command) -> str:
    return " · ".join(command.usage) or f"/{command.names[0]}"
