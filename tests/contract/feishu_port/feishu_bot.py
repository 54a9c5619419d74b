"""The smallest bot: opens what comes to it as the real one does, and remembers it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from bot.clock import Clock
from bot.feishu.envelope import Challenge, Envelope, Refused, open_envelope


class TinyBot:
    """`answer` is what it says to card clicks; `status` other than 200 refuses everything; `delay` in seconds."""

    def __init__(self, encrypt_key: str, verification_token: str, clock: Clock, port: int = 0) -> None:
        self.got: list[Envelope] = []
        self.refused: list[str] = []
        self.answer: dict[str, object] = {}
        self.status, self.delay = 200, 0.0
        bot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                time.sleep(bot.delay)
                try:
                    found = open_envelope(
                        dict(self.headers.items()),
                        body,
                        encrypt_key=encrypt_key,
                        verification_token=verification_token,
                        now=clock.now(),
                    )
                except Refused as refused:
                    bot.refused.append(refused.reason)
                    self._say(401, {})
                    return
                if isinstance(found, Challenge):
                    self._say(bot.status, {"challenge": found.value})
                    return
                bot.got.append(found)
                self._say(bot.status, bot.answer if found.event_type == "card.action.trigger" else {})

            def _say(self, status: int, body: dict[str, object]) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/feishu/events"

    def __enter__(self) -> TinyBot:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()

    def types(self) -> list[str]:
        return [envelope.event_type for envelope in self.got]


def soon(check: Callable[[], object], seconds: float = 20.0) -> None:
    """Until `check` is true; an AssertionError when it never gets so."""
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.03)
