"""Being told to stop: by SIGTERM or SIGINT, from the first moment on, and with an end that comes for certain."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import thread as pools

import structlog

log = structlog.get_logger("stop")


class Shutdown:
    """Made in the main thread before anything is started. `asked` is set once a signal came.

    `within`: seconds from then on after which the process ends whatever it does. What it had in hand is as safe as
    after a power cut.
    """

    def __init__(self, within: float) -> None:
        self.asked = threading.Event()
        self._within = within
        self._then: list[Callable[[], object]] = []
        # A handler may interrupt any line, also one that holds a lock: it writes to a pipe, a thread does the rest.
        self._read, self._write = os.pipe()
        threading.Thread(target=self._wait, name="stop", daemon=True).start()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._signalled)

    def then(self, call: Callable[[], object]) -> None:
        """Have something woken when it is time; it may have been time before."""
        self._then.append(call)

    def end(self, status: int = 0) -> None:
        """After everything was stopped: end now, whatever job would not be finished in its grace."""
        until = time.monotonic() + 1
        others = [one for one in threading.enumerate() if _is_waited_for(one)]
        for one in others:
            one.join(timeout=max(0.0, until - time.monotonic()))
        hanging = [one.name for one in others if one.is_alive()]
        if hanging:
            log.warning("stop.unfinished", threads=hanging)
            logging.shutdown()
            os._exit(status)
        if status:
            raise SystemExit(status)

    def _signalled(self, number: int, frame: object) -> None:
        os.write(self._write, b"x")

    def _wait(self) -> None:
        os.read(self._read, 1)
        log.info("stop.asked")
        self.asked.set()
        for call in self._then:
            try:
                call()
            except Exception:  # whatever it is, the end comes for certain
                log.exception("stop.call_failed")
        time.sleep(self._within)
        log.error("stop.forced", after=self._within)
        logging.shutdown()
        os._exit(1)


def _is_waited_for(thread: threading.Thread) -> bool:
    """Whether Python does not end before this thread has: also those of pools, which are daemons if one made them."""
    if thread is threading.current_thread():
        return False
    return not thread.daemon or thread in pools._threads_queues
