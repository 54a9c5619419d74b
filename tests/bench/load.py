"""The load generator, a process of its own: kept connections, and latencies counted from when an event was due.

Closed loop: every connection sends its next event when the last one was answered. Open loop: events are due at a fixed
rate whatever the server does, so a server that stalls cannot hide it (no coordinated omission).
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import events

if TYPE_CHECKING:  # the generator itself needs none of it
    from sandbox.demo import Demo

ROOT = Path(__file__).resolve().parents[2]

WARM_UP = 40
_DRAIN = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` events a second, 0 for a closed loop. `seconds` as long, or `count` events where that is given."""

    port: int
    path: str
    encrypt_key: str
    token: str
    seconds: float
    rate: float = 0.0
    connections: int = 16
    count: int = 0
    app_id: str = "cli_bench"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Latencies in ms of what was answered 200; `wrong` counts other answers and broken connections."""

    seconds: float
    latencies: list[float]
    wrong: int

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


def to_demo(demo: Demo, seconds: float = 0.0, *, count: int = 0) -> Load:
    """Events of the demo's own app, as fast as they are answered."""
    app = demo.sandbox.feishu.app
    keys = {"encrypt_key": app.encrypt_key, "token": app.verification_token, "app_id": app.app_id}
    return Load(demo.bot_port, "/feishu/events", seconds=seconds, count=count, **keys)


def run(load: Load) -> Outcome:
    """Start the generator, and wait for what it has to tell."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=json.dumps(asdict(load)), capture_output=True, text=True, check=False, cwd=ROOT,
        timeout=load.seconds * 4 + load.count * 0.05 + 120,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr[-500:]}")
    return Outcome(**json.loads(done.stdout))


class _Line:
    """One kept connection with at most one request on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._got = b""

    def send(self, request: bytes, due: float) -> None:
        self.due = due
        self._got = b""
        self.socket.sendall(request)

    def answered(self) -> int | None:
        """The status once the whole answer is there; 0 for a connection that broke."""
        piece = self.socket.recv(65536)
        if not piece:
            return 0
        self._got += piece
        head, found, rest = self._got.partition(b"\r\n\r\n")
        if not found:
            return None
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                return int(head[9:12]) if len(rest) >= int(value) else None
        return 0


class _Generator:
    def __init__(self, load: Load, requests: Iterator[bytes]) -> None:
        self._load = load
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._free: deque[_Line] = deque()
        self._busy = 0
        self._latencies: list[float] = []
        self._wrong = 0
        for _ in range(load.connections):
            self._open()

    def _open(self) -> None:
        line = _Line(self._load.port)
        self._selector.register(line.socket, selectors.EVENT_READ, line)
        self._free.append(line)

    def closed(self, *, count: int = 0, seconds: float = 0.0) -> float:
        """Until `count` were sent or `seconds` are over; how long that took."""
        started = time.perf_counter()
        sent = 0
        while (sent < count) if count else (time.perf_counter() - started < seconds):
            while self._free:
                self._send(time.perf_counter())
                sent += 1
            self._collect(0.05)
        took = time.perf_counter() - started
        self._drain()
        return took

    def open(self, rate: float, seconds: float) -> float:
        started = time.perf_counter()
        total = max(1, int(rate * seconds))
        sent = 0
        while sent < total:
            due = started + sent / rate
            wait = due - time.perf_counter()
            if wait <= 0 and self._free:
                self._send(due)
                sent += 1
                continue
            self._collect(wait if wait > 0 else 0.05)
        took = time.perf_counter() - started
        self._drain()
        return took

    def result(self, seconds: float) -> Outcome:
        return Outcome(seconds, [round(each, 3) for each in self._latencies], self._wrong)

    def forget(self) -> None:
        self._latencies.clear()
        self._wrong = 0

    def _send(self, due: float) -> None:
        line = self._free.popleft()
        line.send(next(self._requests), due)
        self._busy += 1

    def _collect(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            line: _Line = key.data
            status = line.answered()
            if status is None:
                continue
            self._busy -= 1
            if status == 200:
                self._latencies.append((time.perf_counter() - line.due) * 1000)
            else:
                self._wrong += 1
            if status:
                self._free.append(line)
            else:
                self._selector.unregister(line.socket)
                line.socket.close()
                self._open()

    def _drain(self) -> None:
        until = time.perf_counter() + _DRAIN
        while self._busy and time.perf_counter() < until:
            self._collect(0.1)
        self._wrong += self._busy  # never answered
        self._busy = 0


def _main() -> None:
    load = Load(**json.load(sys.stdin))
    made = events.requests(events.app(load.encrypt_key, load.token, load.app_id), load.port, load.path)
    # Making an event costs as much as judging one: most are made before the clock runs.
    many = load.count or int((load.rate or 1500) * load.seconds)
    ready = [next(made) for _ in range(WARM_UP + many + load.connections)]

    def take() -> Iterator[bytes]:
        yield from ready
        yield from made

    generator = _Generator(load, take())
    generator.closed(count=WARM_UP)
    generator.forget()
    if load.rate:
        seconds = generator.open(load.rate, load.seconds)
    else:
        seconds = generator.closed(count=load.count, seconds=load.seconds)
    json.dump(asdict(generator.result(seconds)), sys.stdout)


if __name__ == "__main__":
    _main()
