"""A sandbox for each test, a plain HTTP client, the vendor's SDK, and a small web app that receives events."""

from __future__ import annotations

import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.feishu.platform import Feishu
from sandbox.feishu.state import Chat, User
from sandbox.server import Sandbox


@pytest.fixture(scope="session")
def lark() -> Any:
    """The SDK, imported once: it takes seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lark_oapi
        import lark_oapi.adapter.flask
        import lark_oapi.ws.pb.pbbp2_pb2
    return lark_oapi


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def feishu(box: Sandbox) -> Feishu:
    return box.feishu


@pytest.fixture
def client(lark: Any, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK's client. Its token cache is a class variable keyed by app id, so each test gets a new one."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(lark.core.token.manager.TokenManager, "cache", lark.core.cache.LocalCache())
    app = box.feishu.app
    builder = lark.Client.builder().app_id(app.app_id).app_secret(app.secret).domain(box.url)
    return builder.timeout(5).log_level(lark.LogLevel.CRITICAL).build()


@dataclass
class Company:
    zhang: User
    li: User
    group: Chat


@pytest.fixture
def company(feishu: Feishu) -> Company:
    zhang = feishu.add_user("张三", en_name="Zhang San", mobile="+8613800000001", email="zhang@example.com")
    li = feishu.add_user("李四", locale="en_us")
    return Company(zhang, li, feishu.add_chat("支付投诉群", [zhang, li]))


@dataclass
class Raw:
    """A client without any SDK, for what no SDK sends."""

    http: httpx.Client
    token: str = ""

    def call(self, method: str, path: str, body: object = None, **params: str) -> dict[str, Any]:
        """The answer's JSON with the HTTP status as `status`."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.http.request(method, f"/open-apis{path}", json=body, params=params, headers=headers)
        content: dict[str, Any] = answer.json()
        return {**content, "status": answer.status_code, "headers": answer.headers}

    def login(self, app_id: str, secret: str) -> None:
        answer = self.call("POST", "/auth/v3/tenant_access_token/internal", {"app_id": app_id, "app_secret": secret})
        self.token = answer["tenant_access_token"]

    def send(self, chat_id: str, content: object, msg_type: str = "interactive", **more: str) -> dict[str, Any]:
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        body = {"receive_id": chat_id, "msg_type": msg_type, "content": text, **more}
        return self.call("POST", "/im/v1/messages", body, receive_id_type="chat_id")

    def text(self, chat_id: str, text: str, **more: str) -> dict[str, Any]:
        return self.send(chat_id, {"text": text}, "text", **more)


@pytest.fixture
def raw(box: Sandbox) -> Iterator[Raw]:
    with httpx.Client(base_url=box.url, trust_env=False) as http:
        client = Raw(http)
        client.login(box.feishu.app.app_id, box.feishu.app.secret)
        yield client


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        return


@dataclass
class Receiver:
    """An address that answers with whatever `answer` returns; it remembers raw bodies and headers."""

    url: str = ""
    answer: Callable[[], Response | str] = lambda: Response("{}", content_type="application/json")
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def wait(self, count: int, seconds: float = 5.0) -> None:
        until(lambda: len(self.seen) >= count, seconds, f"{count} requests, {len(self.seen)} came")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    flask = Flask("receiver")

    def take() -> Response | str:
        made.seen.append((dict(request.headers), request.get_data()))
        return made.answer()

    flask.add_url_rule("/feishu/events", view_func=take, methods=["POST"])
    server = make_server("127.0.0.1", 0, flask, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.port}/feishu/events"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll until something holds; fails with `what` was awaited."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def card(*elements: dict[str, Any], title: str = "投诉", **more: Any) -> dict[str, Any]:
    return {
        "schema": "2.0",
        "header": {"title": {"tag": "plain_text", "content": title}},
        "body": {"elements": list(elements)},
        **more,
    }


def plain(content: str, **translations: str) -> dict[str, Any]:
    made: dict[str, Any] = {"tag": "plain_text", "content": content}
    return {**made, "i18n_content": translations} if translations else made


def button(label: str, value: object = None, **more: Any) -> dict[str, Any]:
    made = {"tag": "button", "text": plain(label), **more}
    return {**made, "behaviors": [{"type": "callback", "value": value}]} if value is not None else made


def refund_form(**amount: Any) -> dict[str, Any]:
    """A form with a required amount, an optional note and a choice."""
    reasons = [
        {"text": plain("质量", en_us="Quality"), "value": "quality"},
        {"text": plain("物流", en_us="Delivery"), "value": "delivery"},
    ]
    return {
        "tag": "form",
        "name": "refund",
        "elements": [
            {"tag": "input", "name": "amount", "required": True, "label": plain("金额"), **amount},
            {"tag": "input", "name": "note", "max_length": 10},
            {"tag": "select_static", "name": "reason", "options": reasons, "initial_option": "quality"},
            button("提交", {"act": "refund"}, name="ok", form_action_type="submit"),
        ],
    }
