"""One id from an event to every effect of it: in each log line, with the jobs, on messages and calls on their way.

It is made from the natural id of what came in, so that whoever meets the event anywhere finds the same. The incident
number that people are shown is this id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

KEY = "trail"  # in log lines and payloads: what it was first called
SPAN = "span"  # in payloads: the span that asked for the work, where spans are made


def id_of(id: str) -> str:
    """The correlation id of an event, click, push or job of that id; 8 hex digits."""
    return hashlib.sha256(id.encode()).hexdigest()[:8]


def current() -> str:
    """What the work at hand follows from; empty outside of any."""
    return str(structlog.contextvars.get_contextvars().get(KEY) or "")


def of(correlation_id: str | None) -> dict[str, str]:
    """The part of a payload that puts a job under it."""
    return {KEY: correlation_id} if correlation_id else {}


@contextmanager
def within(correlation_id: str) -> Iterator[None]:
    """Everything inside has that correlation id."""
    with structlog.contextvars.bound_contextvars(**{KEY: correlation_id}):
        yield


def follow(correlation_id: str) -> None:
    """From here on, until the end of the enclosing `within`, everything has that correlation id."""
    if correlation_id:
        structlog.contextvars.bind_contextvars(**{KEY: correlation_id})
