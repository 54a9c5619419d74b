"""Spans for whoever collects traces; nothing is loaded and nothing costs anything while nobody does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from bot.settings import SettingsError


class Span(Protocol):
    def failed(self, why: str) -> None:
        """Mark it: what it stands for went wrong."""
        ...


class Spans(Protocol):
    """`event` is the root of what has one correlation id; jobs and calls hang below it or below one another."""

    def event(self, name: str, correlation_id: str, source: str) -> AbstractContextManager[Span]:
        """A context manager around the receipt of an event."""
        ...

    def job(self, name: str, correlation_id: str, parent: str) -> AbstractContextManager[Span]: ...

    def call(self, name: str, seconds: float, outcome: str, correlation_id: str, about: Mapping[str, str]) -> None:
        """A call that has just ended and took that long."""
        ...

    def here(self) -> str:
        """The id of the span at hand, for work that is asked for in it."""
        ...

    def close(self) -> None: ...


class _Nothing:
    def failed(self, why: str) -> None:
        pass


class NoSpans:
    """Tracing is off."""

    _nothing = _Nothing()

    @contextmanager
    def event(self, name: str, correlation_id: str, source: str) -> Iterator[Span]:
        yield self._nothing

    @contextmanager
    def job(self, name: str, correlation_id: str, parent: str) -> Iterator[Span]:
        yield self._nothing

    def call(self, name: str, seconds: float, outcome: str, correlation_id: str, about: Mapping[str, str]) -> None:
        pass

    def here(self) -> str:
        return ""

    def close(self) -> None:
        pass


def spans_to(endpoint: str, name: str) -> Spans:
    """Where spans go; nowhere for an empty endpoint. Raises SettingsError where the packages are missing."""
    if not endpoint:
        return NoSpans()
    try:
        from bot.telemetry.otel import OtelSpans
    except ImportError as error:
        raise SettingsError(
            f"MPOPS_OTEL__ENDPOINT is set, but {error.name} is not installed: install mpops[otel], or take it out."
        ) from None
    return OtelSpans(endpoint, name)
