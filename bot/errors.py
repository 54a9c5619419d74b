"""Saying no to a person: what happened, what did not, what to do next."""

from __future__ import annotations

from bot.texts import Text


class Refused(Exception):
    """The request cannot be done; `reason` is shown to whoever asked. Nothing of it took effect."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.key)
        self.reason = reason
