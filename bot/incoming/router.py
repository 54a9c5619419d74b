"""Words, actions and permissions in one table: aliases, "did you mean" and authorisation read it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.contributions.permissions import Permission
from bot.contributions.routing import Click, Command
from bot.errors import Refused
from bot.incoming.user_rate_limit import UNLIMITED, UserRateLimiter
from bot.permissions import Actor
from bot.texts import Text, text


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
        self, commands: Iterable[Command], clicks: Iterable[Click], rate_limiter: UserRateLimiter | None = None
    ) -> None:
        """Without `rate_limiter` everybody may ask as much as they like."""
        self.rate_limiter = rate_limiter or UserRateLimiter(UNLIMITED, UNLIMITED)
        self.commands = tuple(commands)
        self._words: dict[str, Command] = {}
        self._clicks: dict[str, Click] = {}
        for command in self.commands:
            for name in command.names:
                if self._words.setdefault(name.casefold(), command) is not command:
                    raise ValueError(f"two commands are called {name!r}")
        for click in clicks:
            if self._clicks.setdefault(click.name, click) is not click:
                raise ValueError(f"two clicks are called {click.name!r}")

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

    def click(self, name: str) -> Click | None:
        return self._clicks.get(name)

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


def _usage(command: Command) -> Text | str:
    return command.usage or f"/{command.names[0]}"
