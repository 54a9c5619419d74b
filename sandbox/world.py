"""The one object that everything in the sandbox hangs on: clock, timers, faults, log of calls, deliveries."""

from __future__ import annotations

import threading
from pathlib import Path

from sandbox.calls import CallLog
from sandbox.clock import SandboxClock, Timers
from sandbox.delivery import Deliveries
from sandbox.faults import Faults


class World:
    """What all platforms of one sandbox share.

    `lock` guards the state of every platform; hold it shortly and never across a call to the outside. `version` grows
    with every visible change, so that the console can ask "anything new since?". `base_url` is where the sandbox
    answers, for platforms that hand out addresses.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self.clock = SandboxClock(offset_file)
        self.timers = Timers(self.clock)
        self.faults = Faults()
        self.calls = CallLog()
        self.deliveries = Deliveries(self.clock, self.timers, self.faults, self.calls)
        self.lock = threading.RLock()
        self.version = 0
        self.base_url = ""

    def changed(self) -> None:
        with self.lock:
            self.version += 1

    def start(self) -> None:
        self.timers.start()

    def stop(self) -> None:
        self.timers.stop()
        self.deliveries.close()
