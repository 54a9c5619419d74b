"""The child process of `bot.feishu.long_connection`: connects to Feishu and hands each event to the bot.

Run as a module; reads its settings as one line of JSON from standard input and ends when that closes. Writes a line to
standard output every few seconds while the connection shows life.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

import httpx
import structlog

from bot.clock import Clock, OffsetClock, SystemClock
from bot.feishu import slim_import
from bot.feishu.long_connection import LongConnection
from bot.feishu.sealing import seal
from bot.telemetry.logs import configure

CALLBACKS = frozenset({"card.action.trigger", "url.preview.get"})
_BUDGET = 2.8  # seconds to hand one event over; Feishu waits 3 s
_BEAT_EVERY = 1.0
_AT_ONCE = 8
_log = structlog.get_logger("bot.feishu")


class NotDelivered(Exception):
    """The bot did not take an event; Feishu has to send it again."""


class Courier:
    """Hands raw events to the bot over loopback, sealed as Feishu would, so that there is one way in."""

    def __init__(self, connection: LongConnection, clock: Clock) -> None:
        self._connection, self._clock = connection, clock
        self._client = httpx.Client(trust_env=False)

    def deliver(self, raw: bytes) -> bytes | None:
        """The body to answer a callback with, None for an event. Waits out a restart of the bot while time is left."""
        payload, event_type = self._vouched(raw)
        until = time.monotonic() + _BUDGET
        while True:
            left = until - time.monotonic()
            headers, body = seal(payload, self._connection.encrypt_key, self._clock.now())
            try:
                answer = self._client.post(self._connection.deliver_to, content=body, headers=headers, timeout=left)
                break
            except httpx.ConnectError as error:
                if until - time.monotonic() < 0.5:
                    raise NotDelivered("the bot does not listen") from error
                time.sleep(0.2)
            except httpx.HTTPError as error:
                raise NotDelivered(type(error).__name__) from error
        if answer.status_code != HTTPStatus.OK:
            raise NotDelivered(f"the bot answered {answer.status_code}")
        return (answer.content or b"{}") if event_type in CALLBACKS else None

    def close(self) -> None:
        self._client.close()

    def _vouched(self, raw: bytes) -> tuple[bytes, str]:
        """The event with our verification token in it, and its type: the connection itself has proven who sent it."""
        try:
            event = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise NotDelivered("not JSON") from error
        if not isinstance(event, dict):
            raise NotDelivered("not an object")
        header = event.get("header")
        place = header if isinstance(header, dict) else event
        if self._connection.verification_token:
            place["token"] = self._connection.verification_token
        return json.dumps(event, ensure_ascii=True).encode(), str(place.get("event_type", ""))


class Life:
    """When the connection last showed life: it was made, or anything came over it, a pong included."""

    def __init__(self) -> None:
        self.seen = 0.0  # never

    def sign(self) -> None:
        self.seen = time.monotonic()

    def shown_within(self, seconds: float) -> bool:
        return self.seen > 0 and time.monotonic() - self.seen <= seconds


def make_client(connection: LongConnection, courier: Courier, life: Life) -> Any:
    """The SDK's client, with three things put right: every type of event is taken, also frames of type `card`, which it
    drops without an answer; a slow bot does not stop its pings; and it tells when it hears something.
    """
    # Only an annotation there; the real one brings 24 API packages and 80 MB with it.
    slim_import.stand_in("lark_oapi.event.dispatcher_handler", EventDispatcherHandler=object)
    ws = slim_import.module("lark_oapi.ws.client")
    pool = ThreadPoolExecutor(_AT_ONCE, "deliver")

    class Client(ws.Client):  # type: ignore[misc, name-defined]  # the SDK has no types
        async def _connect(self) -> None:
            await super()._connect()
            if self._conn is not None:
                life.sign()

        async def _handle_message(self, message: bytes) -> None:
            life.sign()
            await super()._handle_message(message)

        async def _handle_data_frame(self, frame: Any) -> None:
            headers = {header.key: header.value for header in frame.headers}
            payload: bytes | None = frame.payload
            if int(headers.get("sum", "1")) > 1:
                payload = self._combine(headers["message_id"], int(headers["sum"]), int(headers["seq"]), payload)
            if payload is None or headers.get("type") not in ("event", "card"):
                return
            started = time.monotonic()
            code, data = await asyncio.get_running_loop().run_in_executor(pool, _answer, courier, payload)
            took = frame.headers.add()
            took.key, took.value = "biz_rt", str(round((time.monotonic() - started) * 1000))
            answer: dict[str, object] = {"code": code}
            if data is not None:
                answer["data"] = base64.b64encode(data).decode("ascii")
            frame.payload = json.dumps(answer).encode()
            await self._write_message(frame.SerializeToString())

    # At INFO it would log the address it connects to, with the ticket that lets one in.
    level = slim_import.module("lark_oapi.core.enum").LogLevel.WARNING
    return Client(connection.app_id, connection.app_secret, log_level=level, domain=connection.domain)


def _answer(courier: Courier, payload: bytes) -> tuple[int, bytes | None]:
    try:
        return HTTPStatus.OK.value, courier.deliver(payload)
    except NotDelivered as error:
        _log.error("feishu.long_connection.not_delivered", why=str(error))
        return HTTPStatus.INTERNAL_SERVER_ERROR.value, None


def run_child(connection: LongConnection, beat: Callable[[], None]) -> None:
    """Connect and serve until the process ends; `beat` is called every second while the connection shows life.

    Raises what the SDK raises when Feishu refuses the app.
    """
    clock = OffsetClock(Path(connection.clock_offset_file)) if connection.clock_offset_file else SystemClock()
    life = Life()
    client = make_client(connection, Courier(connection, clock), life)
    loop = slim_import.module("lark_oapi.ws.client").loop

    async def beats() -> None:
        # In the client's own loop: when a call of the SDK blocks that, this stops too, and the parent notices.
        while True:
            if client._conn is not None and life.shown_within(2 * (client._ping_interval or 120) + 10):
                beat()
            await asyncio.sleep(_BEAT_EVERY)

    heart = loop.create_task(beats())
    try:
        client.start()
    finally:
        heart.cancel()


def main() -> None:
    connection = LongConnection(**json.loads(sys.stdin.readline()))
    # Our standard output is the parent's ear; whatever else prints goes to the log.
    ear = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    configure(connection.log_level, connection.log_format)
    threading.Thread(target=_end_with_parent, args=(sys.stdin,), daemon=True).start()
    run_child(connection, lambda: _beat(ear))


def _beat(ear: IO[bytes]) -> None:
    try:
        ear.write(b".\n")
    except OSError:
        os._exit(0)


def _end_with_parent(pipe: IO[str]) -> None:
    while pipe.readline():
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
