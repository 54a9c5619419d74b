"""Events over Feishu's long connection, for companies without a public address: a child process holds the SDK's client
and hands every event, sealed as Feishu would, to the bot's own `POST /feishu/events`; the parent restarts it.

The SDK's client has no stop, no watchdog, and calls that can hang for ever under its lock; hence a process of its own
that may be killed at any moment: what it did not answer, Feishu sends again.
See docs/platforms/feishu.md ("Long connection").
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import structlog

from bot.feishu.caller import domain_address

_ROOT = Path(__file__).resolve().parents[2]
_log = structlog.get_logger("bot.feishu")


@dataclass(frozen=True, slots=True)
class LongConnection:
    """What the child needs. `deliver_to` is the bot's own address, as http://127.0.0.1:8080/feishu/events.

    `encrypt_key` is only between the child and the bot, so any will do that both have; `clock_offset_file` as in
    `bot.clock.OffsetClock`, "" for the system's clock.
    """

    app_id: str
    app_secret: str = field(repr=False)
    domain: str
    deliver_to: str
    encrypt_key: str = field(repr=False)
    verification_token: str = field(repr=False)
    clock_offset_file: str = ""
    log_level: str = "INFO"
    log_format: str = "auto"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. `first`: until the first sign of life; `silence`: without any more; waits between restarts double from
    `wait` to `longest_wait`, and start anew after a child that lived `well`.
    """

    first: float = 60.0
    silence: float = 60.0
    wait: float = 1.0
    longest_wait: float = 60.0
    well: float = 120.0


class Supervisor:
    """Keeps one child alive until `stop`. `run` blocks; `start` runs it in a thread."""

    def __init__(self, connection: LongConnection, patience: Patience | None = None) -> None:
        if not connection.encrypt_key:
            raise ValueError("the long connection needs an encrypt key, to prove its events to the bot")
        self._connection = replace(connection, domain=domain_address(connection.domain))
        self._patience = patience or Patience()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._child: _Child | None = None
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The child's process id while one runs."""
        child = self._child
        return child.process.pid if child is not None and child.process.poll() is None else None

    @property
    def alive(self) -> bool:
        """Whether the child is connected, as far as its last sign of life can tell."""
        child = self._child
        return child is not None and self.pid is not None and child.beats > 0 and not self._silent(child)

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="feishu-long-connection", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the child and `run`; safe to call twice and from a signal handler's thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=15)

    def run(self) -> None:
        wait = self._patience.wait
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                why, beats = self._one_child()
            except OSError as error:  # no process or no pipe to be had just now
                why, beats = type(error).__name__, 0
            if self._stopping.is_set():
                break
            self.restarts += 1
            lived = time.monotonic() - started
            if beats and lived >= self._patience.well:
                wait = self._patience.wait
            _log.error("feishu.long_connection.lost", why=why, lived=round(lived), again_in=round(wait, 1))
            self._stopping.wait(wait)
            wait = min(wait * 2, self._patience.longest_wait)
        _log.info("feishu.long_connection.stopped")

    def _one_child(self) -> tuple[str, int]:
        """Run one child to its end: why it had to end, and how many signs of life it gave."""
        child = self._child = _Child(self._connection)
        _log.info("feishu.long_connection.started", pid=child.process.pid)
        try:
            return self._watch(child), child.beats
        finally:
            child.end()

    def _watch(self, child: _Child) -> str:
        """Return why the child must be replaced, or "" when we are told to stop."""
        while not self._stopping.wait(0.2):
            code = child.process.poll()
            if code is not None:
                return f"it ended with {code}"
            if self._silent(child):
                return "it fell silent" if child.beats else "it never connected"
        return ""

    def _silent(self, child: _Child) -> bool:
        patience = self._patience.silence if child.beats else self._patience.first
        return time.monotonic() - child.last_beat > patience


class _Child:
    """The process, its settings down one pipe and its signs of life up another.

    Secrets travel by the pipe, not in arguments or the environment, where others could read them. The pipe stays open
    while we live: when it closes, the child ends, so that a killed parent leaves none behind to steal events.
    """

    def __init__(self, connection: LongConnection) -> None:
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot.feishu.long_connection_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C in a terminal is for us; we end the child
        )
        self.beats = 0
        self.last_beat = time.monotonic()
        self._reader = threading.Thread(target=self._read, name="feishu-long-connection-beats", daemon=True)
        self._reader.start()
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps(asdict(connection)).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it died at once; the watch will say so

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(timeout=5)
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass

    def _read(self) -> None:
        assert self.process.stdout is not None
        for _ in self.process.stdout:
            self.beats += 1
            self.last_beat = time.monotonic()
