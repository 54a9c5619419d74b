"""Waiting for what another process is about to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
PATIENCE = 20.0  # seconds; what works takes far less, but the machine may be busy
_STEP = 0.03


def eventually(
    look: Callable[[], Found | None], otherwise: Callable[[], str] | str, patience: float = PATIENCE
) -> Found:
    """What `look` finds as soon as it finds something; else an AssertionError with `otherwise`."""
    until = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(otherwise if isinstance(otherwise, str) else otherwise())
        time.sleep(_STEP)
