"""A sandbox with a few people and one group, and a tiny program behind it that answers card clicks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from sandbox.server import Sandbox

GROUP = "oc_pay"
ZHOU, WU, LI = "ou_zhou", "ou_wu", "ou_li"
MERCHANT = "1900000109"
Answer = Callable[[dict[str, Any]], tuple[int, object]]


def plain(text: str) -> dict[str, Any]:
    return {"tag": "plain_text", "content": text}


def calls_back(**value: object) -> list[dict[str, Any]]:
    return [{"type": "callback", "value": value}]


def card(*elements: Mapping[str, Any], title: str = "卡片") -> dict[str, Any]:
    return {
        "schema": "2.0",
        "config": {"update_multi": True},
        "header": {"title": plain(title), "template": "blue"},
        "body": {"elements": list(elements)},
    }


def button(label: str, **more: object) -> dict[str, Any]:
    return {"tag": "button", "text": plain(label), "behaviors": calls_back(act=label), **more}


class ConsoleWorld:
    """`clicks` are the actions of card callbacks as they arrived, `texts` the messages people wrote to the bot.

    `answer` decides what a click is answered with: HTTP status and JSON body.
    """

    def __init__(self) -> None:
        self.clicks: list[dict[str, Any]] = []
        self.texts: list[dict[str, Any]] = []
        self.answer: Answer = lambda action: (200, {})
        world = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, told = world._receive(body)
                answer = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._program = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._program.serve_forever, args=(0.05,), daemon=True)
        self.sandbox = Sandbox()
        self.feishu = self.sandbox.feishu
        self.pay = self.sandbox.wechatpay

    def __enter__(self) -> ConsoleWorld:
        self._thread.start()
        self.sandbox.start()
        address = f"http://127.0.0.1:{self._program.server_port}/"
        app = self.feishu.app
        app.encrypt_key, app.event_url, app.card_url = "", address, address
        for name, open_id, english in (("周敏", ZHOU, "Min Zhou"), ("吴强", WU, "Qiang Wu"), ("李娜", LI, "Na Li")):
            self.feishu.add_user(name, open_id, english)
        self.feishu.add_chat("支付投诉群", [ZHOU, WU, LI], chat_id=GROUP)
        self.pay.add_merchant(MERCHANT, "商城")
        self._api = httpx.Client(base_url=self.sandbox.url, trust_env=False)
        token = self._call("POST", "auth/v3/tenant_access_token/internal", app_id=app.app_id, app_secret=app.secret)
        self._api.headers["Authorization"] = f"Bearer {token['tenant_access_token']}"
        return self

    def __exit__(self, *_: object) -> None:
        self._api.close()
        self.sandbox.stop()
        self._program.shutdown()
        self._program.server_close()
        self._thread.join(timeout=5)

    def address(self, me: str = ZHOU, chat: str = GROUP, **more: str) -> str:
        query = "&".join(f"{key}={value}" for key, value in {"me": me, "chat": chat, "panel": "0", **more}.items())
        return f"{self.sandbox.url}/?{query}"

    def post(self, content: Mapping[str, Any], to: str = GROUP, kind: str = "interactive") -> str:
        """The bot sends; answers the message id."""
        way = "chat_id" if to.startswith("oc_") else "open_id"
        told = self._call(
            "POST", f"im/v1/messages?receive_id_type={way}", receive_id=to, msg_type=kind, content=json.dumps(content)
        )
        return str(told["data"]["message_id"])

    def redraw(self, message_id: str, content: Mapping[str, Any]) -> None:
        self._call("PATCH", f"im/v1/messages/{message_id}", content=json.dumps(content))

    def upload(self, picture: bytes) -> str:
        files = {"image": ("a.png", picture, "image/png")}
        answer = self._api.post("/open-apis/im/v1/images", data={"image_type": "message"}, files=files).json()
        return str(answer["data"]["image_key"])

    def wait_for_clicks(self, count: int) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.clicks) >= count)
        return self.clicks

    def _call(self, method: str, path: str, **body: object) -> dict[str, Any]:
        told: dict[str, Any] = self._api.request(method, f"/open-apis/{path}", json=body).json()
        assert told["code"] == 0, told
        return told

    def _receive(self, body: dict[str, Any]) -> tuple[int, object]:
        kind = body.get("header", {}).get("event_type", "")
        if kind == "card.action.trigger":
            self.clicks.append(body["event"]["action"])
            return self.answer(body["event"]["action"])
        if kind == "im.message.receive_v1":
            self.texts.append(body["event"]["message"])
        return 200, {}


def wait_until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
