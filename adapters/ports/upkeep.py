"""What an account needs from time to time."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class UpkeepPort(Protocol):
    """What an account needs from time to time, so that pushes can be proven without calling out."""

    def refresh(self) -> None:
        """Renew keys that are due. Costs nothing when none is; call it at start and then every hour."""
        ...
