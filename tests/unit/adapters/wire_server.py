"""A server of raw bytes on loopback: each connection is handled by the next behaviour of a script."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket, bytes], None]


class WireServer:
    """Reads one request a connection, keeps it, and lets the script answer; the last behaviour repeats."""

    def __init__(self, script: Sequence[Behaviour]) -> None:
        self._script = list(script)
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(timeout=5)
        for thread in self._threads:
            thread.join(timeout=5)

    def head(self, number: int = 0) -> dict[str, str]:
        """The headers of a request, names in lower case; the request line under ""."""
        first, *lines = self.requests[number].partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        return {"": first, **{name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}}

    def body(self, number: int = 0) -> bytes:
        return self.requests[number].partition(b"\r\n\r\n")[2]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            behaviour = self._script.pop(0) if len(self._script) > 1 else self._script[0]
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection, behaviour), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, behaviour: Behaviour) -> None:
        with connection:
            connection.settimeout(5)
            try:
                request = _read_request(connection)
                self.requests.append(request)
                behaviour(connection, request)
            except OSError:
                return


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def answer(
    status: int, body: bytes | Mapping[str, object] = b"", headers: Mapping[str, str] | None = None
) -> Behaviour:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]

    def act(connection: socket.socket, request: bytes) -> None:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    return act


def answer_and_stay(connection: socket.socket, request: bytes) -> None:
    """Promises to keep the connection, and breaks it as soon as the next request comes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    silence(1.0)(connection, request)


def refusal(status: int, code: str, message: str = "", **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, {"code": code, "message": message}, named)


def hang_up(connection: socket.socket, request: bytes) -> None:
    """The request was read; no answer."""


def half_an_answer(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


def silence(seconds: float) -> Behaviour:
    def act(connection: socket.socket, request: bytes) -> None:
        connection.settimeout(seconds)
        try:
            connection.recv(1)
        except TimeoutError:
            return

    return act


def trickle(pieces: int, pause: float) -> Behaviour:
    def act(connection: socket.socket, request: bytes) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {pieces}\r\n\r\n".encode())
        for _ in range(pieces):
            connection.sendall(b"x")
            time.sleep(pause)

    return act


@contextmanager
def serving(*script: Behaviour) -> Iterator[WireServer]:
    server = WireServer(script)
    try:
        yield server
    finally:
        server.stop()


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
