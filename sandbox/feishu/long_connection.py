"""The WebSocket server behind `/callback/ws/endpoint`: frames, ping and pong, fragments.

See docs/platforms/feishu.md ("Long connection").
"""

from __future__ import annotations

import base64
import json
import random
import secrets
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from sandbox.feishu.errors import Refused
from sandbox.feishu.frames import CONTROL, DATA, BadFrame, Frame, decode
from sandbox.feishu.state import App, new_id

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import Server, ServerConnection

HOST = "127.0.0.1"
MOST_CONNECTIONS = 50
CLIENT_CONFIG = {"ReconnectCount": -1, "ReconnectInterval": 120, "ReconnectNonce": 30, "PingInterval": 120}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client answered to one frame: `code` 200 is good; `data` is the decoded callback answer, if any."""

    code: int
    data: bytes | None


@dataclass
class _Waiting:
    done: threading.Event = field(default_factory=threading.Event)
    reply: Reply | None = None


@dataclass(eq=False)
class _Peer:
    app_id: str
    service_id: int
    connection: ServerConnection


class LongConnection:
    """Every connected client gets a random share of the events of its app.

    `fragment_bytes` above 0 cuts payloads into that many bytes; `config` is what clients are told to live by.
    """

    def __init__(self) -> None:
        self.fragment_bytes = 0
        self.config: dict[str, int] = dict(CLIENT_CONFIG)
        self.pings = 0
        self._tickets: dict[str, str] = {}
        self._peers: list[_Peer] = []
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""  # ws://host:port once started

    def start(self) -> None:
        # Imported here: most tests never open a long connection.
        from websockets.sync.server import serve

        self._server = serve(self._serve, HOST, 0, process_request=self._admit, compression=None, max_size=2**22)
        self.url = f"ws://{HOST}:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="sandbox-ws", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self.drop_all()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def endpoint(self, app: App) -> dict[str, Any]:
        """The answer to a client that wants to connect. Raises 1000040350 when 50 are connected already."""
        if len(self.peers(app.app_id)) >= MOST_CONNECTIONS:
            raise Refused(1000040350, "exceed max connection limit", 200)
        ticket = secrets.token_hex(12)
        with self._lock:
            self._tickets[ticket] = app.app_id
        query = {
            "device_id": secrets.randbits(48),
            "service_id": secrets.randbits(24),
            "access_key": secrets.token_hex(8),
            "ticket": ticket,
        }
        return {"URL": f"{self.url}/ws/v2?{urlencode(query)}", "ClientConfig": dict(self.config)}

    def peers(self, app_id: str) -> list[_Peer]:
        with self._lock:
            return [peer for peer in self._peers if peer.app_id == app_id]

    def connected(self, app_id: str) -> bool:
        return bool(self.peers(app_id))

    def drop_all(self) -> None:
        """Break every connection without a closing handshake, as a failing network does."""
        with self._lock:
            peers = list(self._peers)
        for peer in peers:
            peer.connection.close_socket()

    def deliver(self, app_id: str, payload: bytes, timeout: float = 3.0) -> Reply | None:
        """Send one event or callback to a random client and wait for its answer; None when there was none."""
        peers = self.peers(app_id)
        if not peers:
            return None
        peer = random.choice(peers)
        message_id, trace_id = new_id(""), new_id("")
        waiting = _Waiting()
        with self._lock:
            self._waiting[message_id] = waiting
        size = self.fragment_bytes or max(len(payload), 1)
        parts = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
        try:
            for number, part in enumerate(parts):
                headers = {
                    "type": "event",
                    "message_id": message_id,
                    "sum": str(len(parts)),
                    "seq": str(number),
                    "trace_id": trace_id,
                    "timestamp": str(int(time.time() * 1000)),
                }
                frame = Frame(number + 1, number + 1, peer.service_id, DATA, headers, payload=part)
                peer.connection.send(frame.encode())
            waiting.done.wait(timeout)
        except Exception:  # whatever broke the connection, the client gave no answer
            return None
        finally:
            with self._lock:
                self._waiting.pop(message_id, None)
        return waiting.reply

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        query = parse_qs(urlsplit(request.path).query)
        ticket = (query.get("ticket") or [""])[0]
        with self._lock:
            known = ticket in self._tickets
        if known:
            return None
        answer = connection.respond(HTTPStatus.FORBIDDEN, "no such ticket\n")
        answer.headers["Handshake-Status"] = "514"
        answer.headers["Handshake-Msg"] = "auth failed"
        answer.headers["Handshake-Autherrcode"] = "1000040344"
        return answer

    def _serve(self, connection: ServerConnection) -> None:
        request = connection.request
        if request is None:
            return
        query = parse_qs(urlsplit(request.path).query)
        with self._lock:
            app_id = self._tickets.pop(query["ticket"][0], "")
        if not app_id:
            return
        peer = _Peer(app_id, int((query.get("service_id") or ["0"])[0]), connection)
        with self._lock:
            self._peers.append(peer)
        try:
            for message in connection:
                if isinstance(message, bytes):
                    self._receive(connection, message)
        except Exception:  # a broken connection of any kind ends this peer, nothing else
            return
        finally:
            with self._lock:
                self._peers.remove(peer)

    def _receive(self, connection: ServerConnection, message: bytes) -> None:
        try:
            frame = decode(message)
        except BadFrame:
            return
        if frame.method == CONTROL:
            if frame.headers.get("type") == "ping":
                self.pings += 1
                pong = Frame(frame.seq_id, frame.log_id, frame.service, CONTROL, {"type": "pong"})
                pong.payload = json.dumps(self.config).encode()
                connection.send(pong.encode())
            return
        with self._lock:
            waiting = self._waiting.get(frame.headers.get("message_id", ""))
        if waiting is not None and not waiting.done.is_set():
            waiting.reply = _reply(frame.payload)
            waiting.done.set()


def _reply(payload: bytes) -> Reply:
    try:
        answer = json.loads(payload)
        data = answer.get("data")
        return Reply(int(answer["code"]), base64.b64decode(data, validate=True) if data else None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Reply(0, None)
