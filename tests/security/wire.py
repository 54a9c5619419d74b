"""HTTP as somebody with ill intentions speaks it: bytes into a socket, and what comes back."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_TIMEOUT = 15.0


@dataclass(frozen=True)
class Answer:
    """Status 0: the connection was closed without a word."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def written(self) -> str:
        lines = [f"{name}: {value}" for name, value in self.headers.items()]
        return "\n".join([*lines, self.body.decode("utf-8", "replace")])


def request(
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    *,
    method: str = "POST",
    length: str | None = None,
    version: str = "HTTP/1.1",
) -> bytes:
    """A whole request. `length` replaces the true Content-Length; "" leaves it out."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    told = str(len(body)) if length is None else length
    if told:
        pairs.append(("Content-Length", told))
    lines = [f"{method} {path} {version}", "Host: bot", "Connection: close", *(f"{k}: {v}" for k, v in pairs)]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body


def send(port: int, pieces: Iterable[bytes], *, pause: float = 0.0, shut: bool = False) -> Answer:
    """Send piece by piece, and read until the other side has said all. `shut`: then say that nothing more comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                if pause:
                    time.sleep(pause)
            if shut:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # turned away in the middle of it; the answer may be there all the same
        return _read(connection)


def _read(connection: socket.socket) -> Answer:
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
            if _is_whole(data):
                break
    except ConnectionError:
        pass
    return _parsed(data)


def _is_whole(data: bytes) -> bool:
    head, found, body = data.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100 "):
        return _is_whole(body)
    for line in head.lower().split(b"\r\n") if found else ():
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return False


def _parsed(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100 "):
        return _parsed(body)  # "go on", before the answer proper
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first:
        return Answer(0)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def deep(opening: str, closing: str, levels: int, core: str = "1") -> bytes:
    return (opening * levels + core + closing * levels).encode()


def as_json(value: object) -> bytes:
    """Half surrogate pairs and all."""
    return json.dumps(value).encode()
