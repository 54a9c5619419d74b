"""The moments at which a bot can be struck: every call it makes, before it takes effect and after."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime

from sandbox.calls import Call, CallLog
from sandbox.faults import Fault, Faults
from sandbox.world import World

Strike = Callable[[str], None]  # is told where it struck


class Moments:
    """Counts the bot's calls and strikes at chosen ones, before the effect or between the effect and the answer."""

    def __init__(self, world: World) -> None:
        self.calls = 0
        self._before: set[int] = set()
        self._after: set[int] = set()
        self._strike: Strike | None = None
        self._lock = threading.Lock()
        world.calls = _Log(self)
        world.faults = _Faults(self)

    def choose(self, strike: Strike, before: Iterable[int] = (), after: Iterable[int] = ()) -> None:
        """Calls are counted from 1, from the start of the sandbox."""
        with self._lock:
            self._strike, self._before, self._after = strike, set(before), set(after)

    def arriving(self, where: str) -> None:
        with self._lock:
            self.calls += 1
            number, strike = self.calls, self._strike
            hit = number in self._before
        if hit and strike is not None:
            strike(f"before call {number} {where}")

    def took_effect(self, where: str) -> None:
        with self._lock:
            number, strike = self.calls, self._strike
            # Of two calls at the same moment both are counted before the first takes effect; its point is not missed.
            hit = {point for point in self._after if point <= number}
            self._after -= hit
        if hit and strike is not None:
            strike(f"after call {number} {where}")


class _Faults(Faults):
    """The sandbox asks for a fault as the first thing of every call."""

    def __init__(self, moments: Moments) -> None:
        super().__init__()
        self._moments = moments

    def for_call(self, platform: str, method: str, path: str) -> Fault | None:
        self._moments.arriving(f"{method} {path}")
        return super().for_call(platform, method, path)


class _Log(CallLog):
    """The sandbox writes a call down when it took effect and was not answered yet."""

    def __init__(self, moments: Moments) -> None:
        super().__init__()
        self._moments = moments

    def add(
        self,
        at: datetime,
        platform: str,
        direction: str,
        method: str,
        path: str,
        status: int,
        code: str = "",
        summary: str = "",
        milliseconds: int = 0,
    ) -> Call:
        call = super().add(at, platform, direction, method, path, status, code, summary, milliseconds)
        if direction == "in":
            self._moments.took_effect(f"{method} {path}")
        return call


class Randomly:
    """Strikes again and again after random waits, until told to stop or `times` is used up."""

    def __init__(self, chance: random.Random, strike: Strike, times: int, between: tuple[float, float]) -> None:
        self._chance, self._strike, self._times, self._between = chance, strike, times, between
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="random-strikes", daemon=True)

    def __enter__(self) -> Randomly:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        started = time.monotonic()
        for _ in range(self._times):
            if self._over.wait(self._chance.uniform(*self._between)):
                return
            self._strike(f"{time.monotonic() - started:.2f} s into the run")
