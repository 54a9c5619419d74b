"""Events as Feishu sends them: encrypted, signed, each with an id of its own; made by the sandbox's code."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from sandbox.feishu.envelope import encode, envelope, sealed, signed_headers
from sandbox.feishu.state import App

WORDS = "今天的订单都发出去了，有两单地址不全，已经联系客户补充，请仓库同事下午再核对一遍。" * 4


def app(encrypt_key: str, token: str, app_id: str) -> App:
    return App(app_id, "bench", encrypt_key, token, "bench", "ou_bench_bot")


def delivery(to: App, number: int) -> tuple[dict[str, str], bytes]:
    """Headers and body of a message in a group that does not address the bot, so that no answer is due."""
    now = datetime.now(UTC)
    at = str(int(now.timestamp() * 1000))
    ids = {"open_id": "ou_bench_somebody", "union_id": "on_bench_somebody", "user_id": "e33ggbyz"}
    event = {
        "sender": {"sender_id": ids, "sender_type": "user", "tenant_key": "tk_sandbox"},
        "message": {
            "message_id": f"om_{secrets.token_hex(16)}",
            "create_time": at,
            "update_time": at,
            "chat_id": f"oc_bench_{number % 50:032d}",
            "chat_type": "group",
            "message_type": "text",
            "content": json.dumps({"text": f"{number} {WORDS}"}, ensure_ascii=False),
        },
    }
    body = sealed(to, encode(envelope(to, "im.message.receive_v1", event, now)))
    return signed_headers(to, body, now), body


def requests(to: App, port: int, path: str) -> Iterator[bytes]:
    """Whole HTTP requests, one after another, for ever."""
    number = 0
    while True:
        number += 1
        headers, body = delivery(to, number)
        head = {"Host": f"127.0.0.1:{port}", **headers, "Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        yield f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
