"""Between the socket and the platforms: strikes with the faults that are switched on and writes down every call."""

from __future__ import annotations

import io
import json
import socket
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.wrappers import Response

from sandbox.faults import CallFault, Fault
from sandbox.platform import Platform
from sandbox.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class FaultLine:
    """WSGI middleware around the sandbox; paths of no platform (the console) pass untouched and unlogged.

    Raises ValueError when a path would belong to two platforms.
    """

    def __init__(self, app: Flask, world: World, platforms: Iterable[Platform]) -> None:
        self._app, self._inner, self._world = app, app.wsgi_app, world
        self._platforms: dict[str, Platform] = {}
        for platform in platforms:
            for prefix in platform.prefixes:
                if any(_below(prefix, other) or _below(other, prefix) for other in self._platforms):
                    raise ValueError(f"the path {prefix} of {platform.name} belongs to another platform too")
                self._platforms[prefix] = platform

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        platform = self._platform_of(path)
        if platform is None:
            return self._inner(environ, start_response)
        started = time.monotonic()
        method = str(environ.get("REQUEST_METHOD", ""))
        fault = self._world.faults.for_call(platform.name, method, path)
        environ["sandbox.fault"] = fault
        body = _read(environ)
        answer = self._answer(platform, fault, environ)
        if fault is not None and fault.kind is CallFault.LATE:
            time.sleep(fault.seconds)
        broken = fault is not None and fault.kind in (CallFault.DOWN, CallFault.DROP_ANSWER)
        took = int((time.monotonic() - started) * 1000)
        status = 0 if answer is None or broken else answer.status_code
        summary = "" if any(part in path for part in platform.secret_paths) else _summary(environ, body)
        if fault is not None:
            summary = f"[{fault.kind}] {summary}"
        own_code = "" if answer is None else _code(answer)
        name = platform.name
        self._world.calls.add(self._world.clock.now(), name, "in", method, path, status, own_code, summary, took)
        if answer is None or broken:
            _hang_up(environ)
            answer = Response(status=500)
        return answer(environ, start_response)

    def _platform_of(self, path: str) -> Platform | None:
        return next((one for prefix, one in self._platforms.items() if _below(path, prefix)), None)

    def _answer(self, platform: Platform, fault: Fault | None, environ: WSGIEnvironment) -> Response | None:
        kind = fault.kind if fault is not None else None
        if kind is CallFault.DOWN:
            return None
        if kind in (CallFault.TOO_MANY, CallFault.SERVER_ERROR):
            return self._refusal(platform, kind)
        answer = Response.from_app(self._inner, environ, buffered=True)
        return self._refusal(platform, kind) if kind is CallFault.ERROR_AFTER else answer

    def _refusal(self, platform: Platform, kind: Any) -> Response:
        with self._app.app_context():
            return platform.error_answer(kind)


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def _read(environ: WSGIEnvironment) -> bytes:
    """The whole body, put back for the platform, which may check a signature over it."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body = bytes(stream.read())
    else:
        try:
            length = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        body = bytes(stream.read(length)) if length > 0 else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _summary(environ: WSGIEnvironment, body: bytes) -> str:
    query = str(environ.get("QUERY_STRING", ""))
    text = body[:1200].decode("utf-8", "replace") if "json" in str(environ.get("CONTENT_TYPE", "json")) else ""
    return " ".join(part for part in (f"?{query}" if query else "", text) if part)


def _code(answer: Response) -> str:
    if "json" not in (answer.content_type or ""):
        return ""
    try:
        content = json.loads(answer.get_data())
    except ValueError:
        return ""
    code = content.get("code", "") if isinstance(content, dict) else ""
    return str(code)


def _hang_up(environ: WSGIEnvironment) -> None:
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
