"""The web server: waitress, with an end that loses nobody's request.

Told to stop, it first lets load balancers leave: `/readyz` says 503, every answer closes its connection, and for
`drain` seconds new connections are still served. Then nobody new is let in, and what is being received, worked on or
answered is finished, for `grace` seconds at most. Only then its loop ends: waitress' threads wake that loop when they
have an answer, so it must not be closed before them.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server
from waitress.task import WSGITask

log = structlog.get_logger("web")
_LINGER = 1.0  # seconds that a silent connection is left open: its next request may be on the way


class _Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    def build_response_header(self) -> Any:
        if self.channel.server.leaving.is_set():
            self.request.headers["CONNECTION"] = "close"  # as if the client had asked for it
        return super().build_response_header()


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    task_class = _Task


class Server:
    """Listens from the beginning, serves in `run`. `leaving` is set by others as soon as stopping begins."""

    def __init__(
        self,
        app: Callable[..., Any],
        leaving: threading.Event,
        *,
        drain: float = 0.0,
        grace: float = 10.0,
        **adjustments: Any,
    ) -> None:
        """`adjustments` are waitress' own: host, port, threads, limits."""
        self._leaving = leaving
        self._drain, self._grace = drain, grace
        self._map: dict[int, Any] = {}
        made = create_server(app, map=self._map, **adjustments)
        self._dispatcher = made.task_dispatcher
        # One for each address that the host's name stands for.
        self._listening: list[Any] = [one for one in self._map.values() if isinstance(one, BaseWSGIServer)]
        for one in self._listening:
            one.channel_class, one.leaving = _Channel, leaving

    @property
    def port(self) -> int:
        return int(self._listening[0].effective_port)

    def wake(self) -> None:
        """Have the loop look at `leaving` now; for other threads."""
        self._listening[0].pull_trigger()

    def run(self, first: Callable[[], object] = lambda: None) -> None:
        """Serve until `leaving` is set and all is answered. `first` is called before nobody new is let in."""
        while not self._leaving.is_set():
            self._turn(1.0)
        others = threading.Thread(target=first, name="leaving", daemon=True)
        others.start()
        until = time.monotonic() + self._drain
        while time.monotonic() < until or others.is_alive():
            self._turn(0.1)
        self._let_nobody_in()
        until = time.monotonic() + self._grace
        while (left := self._left()) and time.monotonic() < until:
            self._turn(0.05)
        if left:
            log.warning("web.not_finished", connections=left)
        self._dispatcher.shutdown(timeout=1)
        if not self._dispatcher.threads:  # else one would still write to what is closed here; the process ends anyway
            wasyncore.close_all(self._map, ignore_all=True)

    # ---------------------------------------------------------------------------------------------------------------

    def _turn(self, seconds: float) -> None:
        # poll, not select: that one breaks at the 1024th open file, and strangers decide how many are open.
        wasyncore.loop(timeout=seconds, map=self._map, count=1, use_poll=True)

    def _let_nobody_in(self) -> None:
        """Stop listening. Who stands at the door already, let in by the kernel, is served."""
        for one in self._listening:
            door = select.poll()
            door.register(one.socket.fileno(), select.POLLIN)
            until = time.monotonic() + _LINGER
            while door.poll(0) and time.monotonic() < until:  # they may come faster than they are let in
                one.handle_accept()
            one.accepting = False
            one.del_channel(self._map)
            one.socket.close()

    def _left(self) -> int:
        """How many connections have something to finish. Silent ones are closed, unless they spoke just now."""
        left = 0
        silent_since = time.time() - _LINGER
        for channel in [channel for one in self._listening for channel in list(one.active_channels.values())]:
            unfinished = channel.requests or channel.request is not None or channel.total_outbufs_len
            if unfinished or channel.last_activity > silent_since:
                left += 1
            else:
                channel.will_close = True
        return left
