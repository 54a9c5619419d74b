"""The bot's HTTP doors: events and pushes that prove who sent them and that do not, health, readiness, numbers."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx

from sandbox.company import GROUP, MERCHANT
from sandbox.faults import PushFault
from sandbox.feishu.envelope import encode, encrypt, envelope, sealed, signed_headers
from sandbox.wechatpay.keys import seal_with_api_key, signature_headers
from sandbox.wechatpay.times import rfc3339
from tests.golden.player import CHEN, Player

HOUR = timedelta(hours=1)
_NUMBER = re.compile(r"^(\w+(?:\{[^}]*\})?) ", re.MULTILINE)


def ask(play: Player, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> str:
    """The answer in one line."""
    url = f"{play.bot_url}{path}"
    answer = httpx.request(method, url, content=body, headers=dict(headers or {}), timeout=20, trust_env=False)
    kind = answer.headers.get("content-type", "")
    return f"{method} {path[:60]} ({len(body)} bytes) → {answer.status_code} {kind} {answer.text.strip()[:300]}"


def plain(play: Player) -> None:
    for method, path in (
        ("GET", "/healthz"), ("GET", "/nothing"), ("GET", "//evil.example"), ("GET", "/feishu/events"),
        ("POST", "/healthz"), ("GET", "/notify/pay-main"), ("POST", "/notify/nobody"), ("POST", "/notify/%00"),
        ("DELETE", "/notify/pay-main"), ("POST", "/notify/pay-main"), ("POST", "/feishu/events"),
    ):  # fmt: skip
        play.act(f"{method} {path}", lambda method=method, path=path: ask(play, method, path))  # type: ignore[misc]
    play.act("GET /readyz", lambda: play.ticked() or ask(play, "GET", "/readyz"))
    for size in (2, 3):
        for path in ("/feishu/events", "/notify/pay-main"):
            body = b"x" * size * 1024 * 1024
            play.act(
                f"{size} MB to {path}", lambda path=path, body=body: ask(play, "POST", path, body)  # type: ignore[misc]
            )  # fmt: skip


def events(play: Player) -> None:
    app = play.feishu.app
    play.act("Feishu checks the address", lambda: f"challenge answered: {play.feishu.events.verify(app).ok}")
    heard = play.fault("feishu", PushFault.LOSE, "im.message.receive")
    said = play.whispers(CHEN, "/我")
    play.mended(heard)
    message: dict[str, Any] = {
        "sender": {"sender_id": play.feishu.store.user(CHEN).ids(app), "sender_type": "user"},
        "message": {
            "message_id": said.message_id, "chat_id": play.feishu.p2p(CHEN).chat_id, "chat_type": "p2p",
            "message_type": "text", "content": json.dumps({"text": "/我"}), "mood": {"deep": [1, None]},
        },
    }  # fmt: skip

    def push(
        kind: str, event: object, *, wrong: bool = False, age: timedelta = timedelta(0), key: str = "", times: int = 1
    ) -> str:
        payload = encode(envelope(app, kind, event, play.now - age))  # type: ignore[arg-type]  # wrong on purpose
        body = encode({"encrypt": encrypt(key, payload, b"0" * 16)}) if key else sealed(app, payload)
        headers = signed_headers(app, body, play.now - age, wrong)
        answers = [ask(play, "POST", "/feishu/events", body, headers) for _ in range(times)]
        return " | ".join(re.sub(r"\(\d+ bytes\)", "", answer) for answer in answers)

    for told, more in (
        ("wrongly signed", {"wrong": True}), ("an hour old", {"age": HOUR}), ("an hour ahead", {"age": -HOUR}),
        ("with another key", {"key": "another-key"}), ("three times", {"times": 3}), ("with another id", {}),
    ):  # fmt: skip
        play.act(f"a message {told}", lambda more=more: push("im.message.receive_v1", message, **more))  # type: ignore
    for kind, event in (
        ("im.message.levitated_v9", {"what": ["ever"]}), ("卡片.事件", {}), ("im.message.receive_v1", {}),
        ("im.message.receive_v1", {"message": {"content": 5}}), ("im.message.receive_v1", {"sender": []}),
        ("card.action.trigger", {}), ("contact.user.deleted_v3", {"object": {}}), ("p2p_chat_create", {"x": 1}),
        ("im.message.receive_v1", {**message, "sender": {**message["sender"], "sender_type": "app"}}),
    ):  # fmt: skip
        play.act(f"the event {kind} {str(event)[:40]}", lambda kind=kind, event=event: push(kind, event))  # type: ignore
    for body in (b"null", b"{", b"\xff", b'{"encrypt": "AAAA"}', b'{"challenge": "x", "type": "url_verification"}'):
        play.act(f"{body!r} to /feishu/events", lambda body=body: ask(play, "POST", "/feishu/events", body))  # type: ignore


def pushes(play: Player) -> None:
    case = play.complains("推送")

    def push(
        event: str, content: object, *, wrong: bool = False, age: timedelta = timedelta(0), key: str = "",
        times: int = 1, without: tuple[str, ...] = (),
    ) -> str:  # fmt: skip
        merchant = play.wechatpay.merchants[MERCHANT]
        text = content.decode() if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False)
        resource = seal_with_api_key(key or merchant.api_v3_key, text, "complaint").as_json()
        told = {
            "id": str(uuid.uuid4()), "create_time": rfc3339(play.now - age), "resource_type": "encrypt-resource",
            "event_type": event, "summary": "…", "resource": {"original_type": "complaint", **resource},
        }  # fmt: skip
        body = json.dumps({name: value for name, value in told.items() if name not in without}).encode()
        pair = merchant.key_for_notice(play.wechatpay.signing_certificate())
        headers = signature_headers(pair, body, (play.now - age).timestamp(), wrong=wrong)
        answers = [ask(play, "POST", "/notify/pay-main", body, headers) for _ in range(times)]
        return " | ".join(re.sub(r"\(\d+ bytes\)", "", answer) for answer in answers)

    created = {"complaint_id": case.id, "action_type": "CREATE_COMPLAINT"}
    for told, event, content, more in (
        ("wrongly signed", "COMPLAINT.CREATE", created, {"wrong": True}),
        ("an hour old", "COMPLAINT.CREATE", created, {"age": HOUR}),
        ("an hour ahead", "COMPLAINT.CREATE", created, {"age": -HOUR}),
        ("sealed with another key", "COMPLAINT.CREATE", created, {"key": "0" * 32}),
        ("three times", "COMPLAINT.CREATE", created, {"times": 3}),
        ("of nothing", "COMPLAINT.CREATE", b"not json", {}),
        ("without its number", "COMPLAINT.CREATE", {"action_type": "CREATE_COMPLAINT"}, {}),
        ("of a complaint that is not there", "COMPLAINT.CREATE", {**created, "complaint_id": "4711"}, {}),
        ("of an unknown action", "COMPLAINT.SUNG", {**created, "action_type": "SINGS"}, {"without": ("summary",)}),
        ("without an action", "COMPLAINT.STATE_CHANGE", {"complaint_id": case.id}, {}),
        ("of something else", "COUPON.USE", {"stock_id": "1"}, {}),
        ("of nobody's refund", "REFUND.SUCCESS", {"out_refund_no": "somebody-else", "refund_status": "SUCCESS"}, {}),
        ("of a closed one", "REFUND.CLOSED", {"out_refund_no": "somebody-else", "refund_status": "CLOSED"}, {}),
        ("of an abnormal one", "REFUND.ABNORMAL", {"out_refund_no": "somebody-else", "refund_status": "ABNORMAL"}, {}),
        ("of a check", "SECURITY_ECHO.SUCCESS", {"echo_message": "x"}, {}),
    ):  # fmt: skip
        play.act(
            f"a push {event} {told}",
            lambda event=event, content=content, more=more: push(event, content, **more),  # type: ignore
        )
        play.played["pushes"].add(event)
    twice = play.fault("wechatpay", PushFault.REPEAT, "COMPLAINT.CREATE")
    play.complains("两次推送")
    play.mended(twice)


def recalled_unheard(play: Player) -> None:
    """A command that is taken back before it is carried out: its event comes after the one of its recall."""
    held = play.fault("feishu", PushFault.DELAY, "im.message.receive", seconds=30)
    sent = []

    def both() -> None:
        play.late = 1
        sent.append(play.feishu.user_sends(CHEN, GROUP, "/我"))
        play.feishu.user_recalls(sent[0].message_id)

    play.act("陈晨 writes and recalls it before it is heard", both)
    play.mended(held)
    play.later(seconds=30)


def numbers(play: Player) -> None:
    text = httpx.get(f"{play.bot_url}/metrics", timeout=20, trust_env=False).text
    found = sorted({name for name in _NUMBER.findall(text) if "_bucket" not in name and "_created" not in name})
    play.act("GET /metrics", lambda: None)
    play.notes.steps[-1]["then"] += found


def play(player: Player) -> None:
    plain(player)
    events(player)
    pushes(player)
    recalled_unheard(player)
    numbers(player)
