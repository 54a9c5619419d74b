"""The bot that is attacked: what it may answer, how much memory it may take, and that it works afterwards."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psutil  # type: ignore[import-untyped]  # publishes no types
from hypothesis import HealthCheck, settings

from sandbox.feishu.envelope import encode, encrypt, envelope, signed_headers
from sandbox.wechatpay.keys import signature_headers
from tests.log_secrets import leaks
from tests.security.wire import Answer, request, send
from tests.story.world import World

EXAMPLES = int(os.environ.get("MPOPS_FUZZ_EXAMPLES", "0"))
EVENTS, NOTIFY = "/feishu/events", "/notify/pay-main"
GROWTH = 60 * 1024 * 1024  # bytes that the process may take more than before the first attack

_INSIDE = ("Traceback", 'File "', "waitress", "werkzeug", "flask", "python", "sqlalchemy", "Error(", "/site-packages/")
_REFUSALS: Mapping[tuple[str, int], bytes] = {
    (EVENTS, 401): b'{"code": 401, "msg": "refused"}',
    (EVENTS, 413): b'{"code": 413, "msg": "too large"}',
    (NOTIFY, 401): '{"code":"FAIL","message":"失败"}'.encode(),
    (NOTIFY, 413): b'{"code": "FAIL", "message": "too large"}',
}
# 408 413 431 501 and some 400 come from the HTTP server itself; 0 is a closed connection.
_PERMITTED = {0, 200, 400, 401, 404, 405, 408, 413, 414, 431, 501}


def fuzzed(examples: int) -> settings:
    """The same few examples each time, or many new ones with MPOPS_FUZZ_EXAMPLES."""
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
        ],
    )


class Attacked:
    """One bot beside the sandbox; `strike` sends and judges each answer."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.port = world.demo.bot_port
        self._process = psutil.Process(world.demo.pid)
        self.before = self.memory()
        self.most = self.before
        self.strikes = 0

    def memory(self) -> int:
        """Bytes that the process holds."""
        return int(self._process.memory_info().rss)

    def strike(
        self, path: str, body: bytes = b"", headers: Mapping[str, str] | Sequence[tuple[str, str]] = (), **how: Any
    ) -> Answer:
        return self.raw([request(path, body, headers, **how)], path)

    def raw(self, pieces: Iterable[bytes], path: str = "", **how: Any) -> Answer:
        answer = send(self.port, pieces, **how)
        self.judge(path, answer)
        return answer

    def judge(self, path: str, answer: Answer) -> None:
        self.strikes += 1
        if self.strikes % 20 == 0:
            self.most = max(self.most, self.memory())
        assert answer.status in _PERMITTED, answer
        said = answer.written
        for word in _INSIDE:
            assert word.lower() not in said.lower(), answer
        assert leaks(answer.body.decode("utf-8", "replace"), self.world.demo) == [], "a secret in the answer"
        # Refusals of one entrance are all alike: nobody learns how far a forgery came.
        expected = _REFUSALS.get((path, answer.status))
        if expected is not None and not answer.headers.get("content-type", "").startswith("text/plain"):
            assert answer.body in (expected, b""), answer

    # --- with the real keys ----------------------------------------------------------------------------------------

    def feishu(self, payload: bytes, *, body: bytes | None = None) -> Answer:
        """A payload in Feishu's own envelope and signature; `body` takes the place of the encrypted one."""
        app = self.world.feishu.app
        sealed = encode({"encrypt": encrypt(app.encrypt_key, payload, os.urandom(16))}) if body is None else body
        return self.strike(EVENTS, sealed, signed_headers(app, sealed, self.world.sandbox.world.clock.now(), False))

    def event(self, event_type: str, event: Mapping[str, Any], **changes: Any) -> Answer:
        told = envelope(self.world.feishu.app, event_type, event, self.world.sandbox.world.clock.now())
        return self.feishu(json.dumps({**told, **changes}).encode())

    def notify(self, body: bytes, path: str = NOTIFY) -> Answer:
        """A body with WeChat Pay's own signature."""
        pay = self.world.wechatpay
        pair = pay.merchants[self.world.merchant_id].key_for_notice(pay.signing_certificate())
        at = self.world.sandbox.world.clock.now().timestamp()
        return self.strike(path, body, signature_headers(pair, body, at))

    # --- afterwards ------------------------------------------------------------------------------------------------

    def still_works(self) -> None:
        """Ready, no larger, and quick to handle a genuine complaint; nothing of all that became an error."""
        self.most = max(self.most, self.memory())
        assert self.most - self.before < GROWTH, f"{(self.most - self.before) >> 20} MB more"
        assert self.strike("/readyz", method="GET").status == 200
        self.world.quiet(60)
        case = self.world.claimed()
        assert self.world.chen.name in case.card().plain
        assert self.world.chen.whispers("/我").card().title


def at_once(work: Iterable[Any], seconds: float = 30.0) -> None:
    """Run all at the same time; the first thing that went wrong is raised."""
    wrong: list[BaseException] = []

    def run(each: Any) -> None:
        try:
            each()
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(each,), daemon=True) for each in work]
    until = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    if wrong:
        raise wrong[0]
    assert not any(thread.is_alive() for thread in threads), "somebody still waits"
