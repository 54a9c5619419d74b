"""One id from an event to every effect of it: in each log line, with the jobs, on messages and calls on their way.

It is made from the natural id of what came in, so that whoever meets the event anywhere finds the same. The incident
number that people are shown is this id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

KEY = "trail"  # in log lines and payloads
SPAN = "span"  # in payloads: the span that asked for the work, where spans are made


def trail_of(id: str) -> str:
    """The trail of an event, click, push or job of that id; 8 hex digits."""
    return hashlib.sha256(id.encode()).hexdigest()[:8]


def current() -> str:
    """What the work at hand follows from; empty outside of any."""
    return str(structlog.contextvars.get_contextvars().get(KEY) or "")


def of(trail: str | None) -> dict[str, str]:
    """The part of a payload that puts a job on that trail."""
    return {KEY: trail} if trail else {}


@contextmanager
def on(trail: str) -> Iterator[None]:
    """Everything inside belongs to that trail."""
    with structlog.contextvars.bound_contextvars(**{KEY: trail}):
        yield


def follow(trail: str) -> None:
    """From here on, until the end of the enclosing `on`, everything belongs to that trail."""
    if trail:
        structlog.contextvars.bind_contextvars(**{KEY: trail})
