"""Pushing events and card callbacks to an app, by webhook or by long connection.

See docs/platforms/feishu.md ("Event delivery and signatures", "Long connection").
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from sandbox.delivery import Attempt, Push, loopback_client
from sandbox.faults import PushFault
from sandbox.feishu.envelope import encode, envelope, sealed, signed_headers
from sandbox.feishu.long_connection import LongConnection
from sandbox.feishu.state import App
from sandbox.world import World

LADDER = (timedelta(seconds=15), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
PLATFORM = "feishu"
LIMIT = 3.0
CHALLENGE_LIMIT = 1.0
CARD_ACTION = "card.action.trigger"


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of pressing Save beside the callback address in the developer console."""

    ok: bool
    detail: str
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What came back from a card callback. `code` 0: `body` holds the answer; else the client's error code."""

    code: int
    message: str
    body: bytes
    elapsed_ms: int


class Events:
    def __init__(self, world: World, long_connection: LongConnection) -> None:
        self._world, self._long = world, long_connection
        self._client = loopback_client()

    def close(self) -> None:
        self._client.close()

    def emit(self, app: App, event_type: str, event: Mapping[str, Any], note: str = "") -> Attempt | None:
        """Send an event that the app subscribed to; returns at once. None when there is nowhere to send it."""
        if app.subscriptions is not None and event_type not in app.subscriptions:
            return None
        if not app.event_url and not self._long.connected(app.app_id):
            return None
        payload = encode(envelope(app, event_type, event, self._world.clock.now()))

        def make(wrong: bool) -> tuple[Mapping[str, str], bytes]:
            body = sealed(app, payload)
            return signed_headers(app, body, self._world.clock.now(), wrong), body

        def carry() -> tuple[int, bool] | None:
            if not self._long.connected(app.app_id):
                return None
            reply = self._long.deliver(app.app_id, payload, LIMIT)
            return (0, False) if reply is None else (reply.code, reply.code == 200)

        push = Push(
            platform=PLATFORM,
            event_type=event_type,
            url=app.event_url,
            make=make,
            ladder=LADDER,
            accepted=lambda answer: answer.status_code == 200,
            timeout=LIMIT,
            note=note,
            carry=carry,
        )
        return self._world.deliveries.send(push)

    def callback(self, app: App, event: Mapping[str, Any]) -> CallbackAnswer:
        """Send a card click and wait for the answer, 3 s at most. Never repeated, unless a fault asks for it."""
        payload = encode(envelope(app, CARD_ACTION, event, self._world.clock.now(), micro=True))
        fault = self._world.faults.for_push(PLATFORM, CARD_ACTION)
        kind = fault.kind if fault is not None else None
        if kind is PushFault.LOSE:
            return CallbackAnswer(200341, "the request got lost", b"", 3000)
        if kind is PushFault.DELAY and fault is not None:
            self._world.timers.after(timedelta(seconds=fault.seconds), lambda: self._late(app, payload))
            return CallbackAnswer(200341, "no answer within 3 s", b"", 3000)
        answer = self._ask(app, payload, kind is PushFault.TAMPER)
        return self._ask(app, payload, False) if kind is PushFault.REPEAT else answer

    def verify(self, app: App) -> Verification:
        """The check of the callback address: the challenge must come back within 1 s."""
        challenge = secrets.token_urlsafe(24)
        question = {"challenge": challenge, "token": app.verification_token, "type": "url_verification"}
        body = sealed(app, encode(question))
        started = time.monotonic()
        status = 0
        try:
            headers = {"Content-Type": "application/json; charset=utf-8"}
            answer = self._client.post(app.event_url, content=body, headers=headers, timeout=CHALLENGE_LIMIT)
            status = answer.status_code
            ok = status == 200 and answer.json() == {"challenge": challenge}
            detail = "" if ok else f"HTTP {status}: {answer.text[:200]}"
        except httpx.TimeoutException:
            ok, detail = False, "no answer within 1 s"
        except httpx.HTTPError as error:
            ok, detail = False, f"not reachable: {type(error).__name__}"
        except (ValueError, TypeError):
            ok, detail = False, "the answer is not JSON"
        took = time.monotonic() - started
        if ok and took > CHALLENGE_LIMIT:
            ok, detail = False, "answered too late"
        self._log("url_verification", status, int(took * 1000))
        return Verification(ok, detail, int(took * 1000))

    def _ask(self, app: App, payload: bytes, wrong: bool) -> CallbackAnswer:
        started = time.monotonic()
        if self._long.connected(app.app_id):
            code, message, status, body = self._ask_long(app, payload)
        else:
            code, message, status, body = self._ask_http(app, payload, wrong)
        took = time.monotonic() - started
        if code == 0 and took > LIMIT:
            code, message = 200341, "no answer within 3 s"
        self._log(CARD_ACTION, status, int(took * 1000))
        return CallbackAnswer(code, message, body, int(took * 1000))

    def _ask_long(self, app: App, payload: bytes) -> tuple[int, str, int, bytes]:
        reply = self._long.deliver(app.app_id, payload, LIMIT)
        if reply is None:
            return 200341, "no answer within 3 s", 0, b""
        if reply.code != 200:
            return 200671, f"the client answered {reply.code}", reply.code, b""
        if reply.data is None:
            return 108002, "the answer holds no data", reply.code, b""
        return 0, "", reply.code, reply.data

    def _ask_http(self, app: App, payload: bytes, wrong: bool) -> tuple[int, str, int, bytes]:
        url = app.card_url or app.event_url
        if not url:
            return 200340, "no callback address is configured", 0, b""
        body = sealed(app, payload)
        headers = signed_headers(app, body, self._world.clock.now(), wrong)
        try:
            answer = self._client.post(url, content=body, headers=headers, timeout=httpx.Timeout(LIMIT, connect=2.0))
        except httpx.ConnectError:
            return 200342, "no connection to the callback address", 0, b""
        except (httpx.HTTPError, httpx.InvalidURL):
            return 200341, "no answer within 3 s", 0, b""
        if answer.status_code != 200:
            return 200671, f"HTTP {answer.status_code}", answer.status_code, answer.content
        return 0, "", 200, answer.content

    def _late(self, app: App, payload: bytes) -> None:
        self._ask(app, payload, False)

    def _log(self, what: str, status: int, took: int) -> None:
        self._world.calls.add(self._world.clock.now(), PLATFORM, "out", "POST", what, status, "", what, took)


def answered_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a callback answer, None when it is anything else."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
