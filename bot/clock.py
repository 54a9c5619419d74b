"""The one source of time. Injected everywhere, so that deadlines can be tested and the demo can jump to tomorrow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class OffsetClock:
    """The system's time plus the seconds that stand in a file, which another process may change at any moment."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = -1
        self._offset = timedelta(0)

    def now(self) -> datetime:
        try:
            changed = self._file.stat().st_mtime_ns
            if changed != self._seen:
                self._offset = timedelta(seconds=float(self._file.read_text() or 0))
                self._seen = changed
        except (OSError, ValueError):
            pass  # being replaced just now, or gone: what was read last still holds
        return datetime.now(UTC) + self._offset
