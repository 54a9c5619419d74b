"""How much one person may ask of the bot, and how often a chat is told no: nobody fills a queue that others wait in.

Kept per process and in bounded memory: with several processes each allows that much, which still is little.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from bot.incoming.token_bucket import TokenBucket

_MOST_KNOWN = 10_000  # people and chats; who was longest silent is forgotten first
_MOST_JUDGED = 2_000  # messages


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`burst` at once, and one more every `seconds`. A burst of 0 allows everything."""

    burst: int
    seconds: float


PEOPLE = RateLimit(20, 2.0)
STRANGERS = RateLimit(5, 60.0)


class RateDecision(Enum):
    YES = auto()
    SAY_NO = auto()  # too much, and this one is told so
    SILENT = auto()  # too much, and told already


class _Bucket:
    """What one person or chat has left, and whether they were told that it is nothing."""

    __slots__ = ("_bucket", "_half", "_told")

    def __init__(self, limit: RateLimit, now: float) -> None:
        self._bucket = TokenBucket(limit.burst, limit.seconds, now)
        self._half = limit.burst / 2
        self._told = False

    def take(self, now: float) -> RateDecision:
        if self._bucket.left(now) >= self._half:
            self._told = False  # quiet for a while: the next refusal is news again
        if self._bucket.take(now):
            return RateDecision.YES
        if self._told:
            return RateDecision.SILENT
        self._told = True
        return RateDecision.SAY_NO


class UserRateLimiter:
    """Thread-safe. `counted` is called with "message" or "click" for each one that had to go without."""

    def __init__(
        self,
        people: RateLimit = PEOPLE,
        strangers: RateLimit = STRANGERS,
        counted: Callable[[str], None] = lambda what: None,
    ) -> None:
        self._people, self._strangers, self._counted = people, strangers, counted
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._judged: OrderedDict[str, RateDecision] = OrderedDict()

    def message(self, id: str, open_id: str, chat: str, *, is_stranger: bool, now: datetime) -> RateDecision:
        """Whether this message is answered. A job that runs again asks again, and hears what it heard before.

        Strangers share what their chat has, and are never told to slow down: that would be one more answer.
        """
        with self._lock:
            decision = self._judged.get(id)
            if decision is None:
                decision = self._take(f"person:{open_id}", self._people, now)
                if is_stranger and (
                    decision is not RateDecision.YES
                    or self._take(f"strangers:{chat}", self._strangers, now) is not RateDecision.YES
                ):
                    decision = RateDecision.SILENT
                self._judged[id] = decision
                while len(self._judged) > _MOST_JUDGED:
                    self._judged.popitem(last=False)
                if decision is not RateDecision.YES:
                    self._counted("message")
            return decision

    def click(self, open_id: str, now: datetime) -> bool:
        """Whether this click is looked at."""
        with self._lock:
            allowed = self._take(f"person:{open_id}", self._people, now) is RateDecision.YES
            if not allowed:
                self._counted("click")
            return allowed

    def stranger_click(self, chat_id: str, now: datetime) -> bool:
        """Whether the click of somebody without a role is worth more than its toast."""
        with self._lock:
            return self._take(f"strangers:{chat_id}", self._strangers, now) is RateDecision.YES

    def _take(self, who: str, limit: RateLimit, now: datetime) -> RateDecision:
        if limit.burst <= 0:
            return RateDecision.YES
        bucket = self._buckets.get(who)
        if bucket is None:
            bucket = self._buckets[who] = _Bucket(limit, now.timestamp())
            while len(self._buckets) > _MOST_KNOWN:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(who)
        return bucket.take(now.timestamp())


UNLIMITED = RateLimit(0, 1.0)
