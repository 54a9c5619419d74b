"""Pushing events to the program under test, with the platform's own ladder of retries and with faults on demand."""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from sandbox.calls import CallLog
from sandbox.clock import SandboxClock, Timers
from sandbox.faults import Faults, PushFault


def loopback_client() -> httpx.Client:
    """A client for pushes: no proxies, no trust roots (loading them costs more than all else), no kept connections.

    A connection kept alive may be closed by the receiver just as it is used again, which looks like a failure.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(trust_env=False, verify=context, limits=httpx.Limits(max_keepalive_connections=0))


@dataclass(frozen=True, slots=True)
class Push:
    """One event on its way out.

    `make` builds headers and body anew for every attempt (signatures carry a timestamp); its argument says whether
    the signature must be wrong. `carry` is another way than HTTP, tried first: it answers (status, accepted), or None
    when that way is closed right now.
    """

    platform: str
    event_type: str
    url: str
    make: Callable[[bool], tuple[Mapping[str, str], bytes]]
    ladder: Sequence[timedelta]
    accepted: Callable[[httpx.Response], bool]
    timeout: float = 3.0
    note: str = ""
    carry: Callable[[], tuple[int, bool] | None] | None = None


@dataclass
class Attempt:
    number: int
    push: Push
    tries: int = 0
    delivered: bool = False
    given_up: bool = False
    answers: list[int] = field(default_factory=list)


class Deliveries:
    """Sends pushes and repeats them by their ladder on the sandbox clock until they are accepted."""

    def __init__(self, clock: SandboxClock, timers: Timers, faults: Faults, calls: CallLog) -> None:
        self._clock, self._timers, self._faults, self._calls = clock, timers, faults, calls
        self._numbers = itertools.count(1)
        self._held: dict[str, list[Attempt]] = {}
        self._lock = threading.Lock()
        self._client = loopback_client()
        self._closed = False
        self.attempts: list[Attempt] = []

    def send(self, push: Push) -> Attempt:
        attempt = Attempt(next(self._numbers), push)
        with self._lock:
            self.attempts.append(attempt)
            del self.attempts[:-2000]
        fault = self._faults.for_push(push.platform, push.event_type)
        if fault is None:
            self._soon(attempt)
        elif fault.kind is PushFault.REPEAT:
            self._soon(attempt)
            self._soon(Attempt(next(self._numbers), push))
        elif fault.kind is PushFault.REORDER:
            with self._lock:
                self._held.setdefault(push.platform, []).append(attempt)
            return attempt
        elif fault.kind is PushFault.DELAY:
            self._timers.after(timedelta(seconds=fault.seconds), lambda: self._try(attempt))
        elif fault.kind is PushFault.TAMPER:
            self._soon(attempt, wrong=True)
        else:
            attempt.given_up = True
        self._release(push.platform)
        return attempt

    def close(self) -> None:
        self._closed = True
        self._client.close()

    def _release(self, platform: str) -> None:
        with self._lock:
            held = self._held.pop(platform, [])
        for attempt in held:
            self._timers.after(timedelta(milliseconds=150), lambda attempt=attempt: self._try(attempt))  # type: ignore[misc]  # mypy cannot infer a default

    def _soon(self, attempt: Attempt, wrong: bool = False) -> None:
        threading.Thread(target=self._try, args=(attempt, wrong), daemon=True).start()

    def _try(self, attempt: Attempt, wrong: bool = False) -> None:
        push = attempt.push
        if self._closed:
            return
        # Counted from here: whoever sees that it was refused may move the clock before this thread goes on.
        begun, started = self._clock.seconds(), time.monotonic()
        carried = push.carry() if push.carry is not None and not wrong else None
        status, accepted = carried if carried is not None else self._post(push, wrong)
        attempt.tries += 1
        attempt.answers.append(status)
        took = int((time.monotonic() - started) * 1000)
        note = push.note or push.event_type
        self._calls.add(self._clock.now(), push.platform, "out", "POST", push.event_type, status, "", note, took)
        if accepted:
            attempt.delivered = True
        elif attempt.tries <= len(push.ladder):
            self._timers.after(push.ladder[attempt.tries - 1], lambda: self._try(attempt), since=begun)
        else:
            attempt.given_up = True

    def _post(self, push: Push, wrong: bool) -> tuple[int, bool]:
        if not push.url:
            return 0, False
        headers, body = push.make(wrong)
        try:
            answer = self._client.post(push.url, content=body, headers=dict(headers), timeout=push.timeout)
            return answer.status_code, push.accepted(answer)
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0, False
        except RuntimeError:
            # The sandbox was stopped while this push was on its way.
            if self._closed:
                return 0, False
            raise
