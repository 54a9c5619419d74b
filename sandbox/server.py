"""The whole sandbox as one object: a world, its platforms and its console behind one HTTP port on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from flask import Flask, g, request
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler

from sandbox.console.api import blueprint as console_blueprint
from sandbox.faultline import FaultLine
from sandbox.platforms import PLATFORMS, Maker, Named
from sandbox.world import World

HOST = "127.0.0.1"
MAX_BODY = 110 * 1024 * 1024


class _Handler(WSGIRequestHandler):
    """Keeps quiet, and tells the server which sockets are open so that `stop` can close them."""

    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        try:
            super().finish()
        except OSError:
            self.rfile.close()

    def log(self, type: str, message: str, *args: Any) -> None:
        return


class _Server(ThreadedWSGIServer):
    multithread = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, app: Flask) -> None:
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(HOST, port, app, handler=_Handler)

    def opened(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.discard(connection)

    def hang_up(self) -> None:
        """Break every connection that clients keep alive."""
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class Sandbox(Named):
    """All platforms and the console on one port. The port is bound at construction, served from `start` to `stop`.

    Each platform is an attribute under its own name. `g.fault` holds the fault that struck the current call, for
    platforms that sign their answers. Raises ValueError when two platforms share a name, a path or an action.
    """

    def __init__(self, offset_file: Path | None = None, port: int = 0, platforms: Iterable[Maker] = PLATFORMS) -> None:
        self.world = World(offset_file)
        self.flask = Flask("sandbox", static_folder=None)
        self.platforms = tuple(make(self.world) for make in platforms)
        for platform in self.platforms:
            if platform.name in vars(self) or hasattr(Sandbox, platform.name):
                raise ValueError(f"the name {platform.name!r} is taken")
            setattr(self, platform.name, platform)
        self.flask.config["MAX_CONTENT_LENGTH"] = MAX_BODY
        self.flask.before_request(self._show_fault)
        for platform in self.platforms:
            self.flask.register_blueprint(platform.blueprint())
        self.flask.register_blueprint(console_blueprint(self.world, self.platforms))
        line = FaultLine(self.flask, self.world, self.platforms)
        self.flask.wsgi_app = line  # type: ignore[method-assign]  # Flask's documented way to add WSGI middleware
        self._server: BaseWSGIServer = _Server(port, self.flask)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="sandbox-http", daemon=True
        )
        self.world.base_url = self.url

    @property
    def port(self) -> int:
        return int(self._server.port)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> Sandbox:
        self.world.start()
        for platform in self.platforms:
            platform.start()
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=5)
        self._server.server_close()
        if isinstance(self._server, _Server):
            self._server.hang_up()
        for platform in self.platforms:
            platform.stop()
        self.world.stop()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _show_fault(self) -> None:
        g.fault = request.environ.get("sandbox.fault")
