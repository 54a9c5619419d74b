"""What the bot wrote to its log."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.story.waiting import eventually

_GREETING = "mpops listens on "
_BAD = ("error", "critical")


@dataclass
class BotLog:
    """The part of the log since `begin`; `expected` are the events that may and must be logged as errors."""

    path: Path
    leaks: Callable[[str], list[str]]  # what of the world's secrets stands in a text
    expected: set[str] = field(default_factory=set)
    _since: int = 0

    def begin(self) -> None:
        self._since = self.path.stat().st_size if self.path.exists() else 0
        self.expected = set()

    def text(self) -> str:
        with self.path.open("rb") as file:
            file.seek(self._since)
            return file.read().decode()

    def lines(self) -> list[dict[str, Any]]:
        """The complete lines as they were written, the greeting left out. What is no JSON is an error line too."""
        found = []
        for line in self.text().split("\n")[:-1]:
            if line.startswith(_GREETING) or not line:
                continue
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"event": line, "level": "error"})
        return found

    def expect(self, event: str, **fields: Any) -> dict[str, Any]:
        """A line of that event with these values, once it is there."""

        def look() -> dict[str, Any] | None:
            for line in self.lines():
                if line.get("event") == event and all(line.get(name) == value for name, value in fields.items()):
                    return line
            return None

        return eventually(look, lambda: f"no log line {event} {fields} in\n{self.text()[-3000:]}")

    def complaints(self) -> list[str]:
        """What is wrong with the log: errors nobody expected, expected ones that did not come, secrets, phones."""
        errors = [line for line in self.lines() if line.get("level") in _BAD]
        wrong = [f"error in the log: {line}" for line in errors if line["event"] not in self.expected]
        wrong += [
            f"expected error not logged: {event}"
            for event in sorted(self.expected)
            if not any(line["event"] == event for line in errors)
        ]
        return wrong + self.leaks(self.text())
