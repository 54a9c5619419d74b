"""Every call to a platform is seen once, and told to metrics, traces and the list of what does not answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.telemetry import correlation
from bot.telemetry.metrics import Metrics
from bot.telemetry.spans import NoSpans, Spans
from storage.core.provider_health import ProviderOutages
from storage.database import Database

FEISHU = "feishu"
DONE = "done"
LATELY = timedelta(hours=1)  # errors further apart are not one outage
# What says nothing about the platform or our set-up: an answer about the one thing that was asked for.
_ORDINARY = frozenset(
    {
        DONE, "Refused", "BadRequest", "NotFound", "Conflict", "NotEnough",
        "BotNotInChat", "ChatGone", "PersonGone", "MessageClosed", "Recalled", "CardTooOld", "ContentRefused",
        "CardRefused", "NotVisible", "UrgentRefused", "Permanent",
    }
)  # fmt: skip


@dataclass(slots=True)
class _Seen:
    errors: int = 0
    what: str = ""
    why: str = ""
    at: datetime | None = None
    well_at: datetime | None = None


class Watcher:
    """Thread-safe. Keeps errors in memory until `write_down`, so that no call waits for the database."""

    def __init__(self, clock: Clock, metrics: Metrics, spans: Spans | None = None) -> None:
        self._clock = clock
        self._metrics = metrics
        self._spans: Spans = spans or NoSpans()
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}
        self._failing: set[str] = set()

    def channel(self, channel: str, account: str, operation: str, outcome: str, seconds: float) -> None:
        self._metrics.channel_call(channel, operation, outcome, seconds)
        self._spans.call(f"{channel} {operation}", seconds, outcome, correlation.current(), {"mpops.account": account})
        self._note(account, operation, outcome)

    def feishu(self, operation: str, outcome: str, seconds: float) -> None:
        self._metrics.feishu_call(operation, outcome, seconds)
        self._spans.call(f"feishu {operation}", seconds, outcome, correlation.current(), {})
        self._note(FEISHU, operation, outcome)

    def _note(self, target: str, operation: str, outcome: str) -> None:
        bad = outcome not in _ORDINARY
        with self._lock:
            if not bad and target not in self._failing:
                return
            seen = self._seen.setdefault(target, _Seen())
            if bad:
                self._failing.add(target)
                seen.errors += 1
                seen.what, seen.why, seen.at, seen.well_at = operation, outcome, self._clock.now(), None
            else:
                self._failing.discard(target)
                seen.well_at = self._clock.now()

    def write_down(self, database: Database) -> None:
        """Raises what the database raises; nothing is lost then."""
        with self._lock:
            taken, self._seen = self._seen, {}
        if not taken:
            return
        try:
            with database.write() as session:
                outages = ProviderOutages(session)
                for target, seen in sorted(taken.items()):
                    if seen.at is not None:
                        outages.failed(target, seen.errors, seen.what, seen.why, seen.at, seen.at - LATELY)
                    session.flush()
                    if seen.well_at is not None:
                        outages.well(target, seen.well_at)
        except BaseException:
            with self._lock:
                for target, seen in taken.items():
                    newer = self._seen.setdefault(target, seen)
                    if newer is not seen:
                        newer.errors += seen.errors
                        newer.at = newer.at or seen.at
                        newer.what, newer.why = newer.what or seen.what, newer.why or seen.why
            raise
