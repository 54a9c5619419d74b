"""Pushes made by hand: right, wrong and odd ones, straight to the bot's address."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from sandbox.feishu.envelope import encode, encrypt, envelope, sealed, signed_headers
from sandbox.feishu.people import receive_event
from sandbox.feishu.state import Message
from sandbox.wechatpay.keys import seal_with_api_key, signature_headers
from sandbox.wechatpay.times import rfc3339
from tests.story.actors import Person
from tests.story.world import World

Answer = httpx.Response


class Pusher:
    """Speaks to the bot as Feishu and WeChat Pay do, or almost."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.app = world.feishu.app

    @property
    def _now(self) -> datetime:
        return self._world.sandbox.world.clock.now()

    # --- Feishu ----------------------------------------------------------------------------------------------------

    def message(self, person: Person, text: str, **changes: Any) -> tuple[Message, dict[str, Any]]:
        """A message that nobody was told of yet, and its event; `changes` go into the event's message."""
        chat = self._world.feishu.p2p(person.open_id)
        url, self.app.event_url = self.app.event_url, ""
        try:
            message = self._world.feishu.user_sends(person.open_id, chat.chat_id, text)
        finally:
            self.app.event_url = url
        user = self._world.feishu.store.user(person.open_id)
        event = receive_event(self._world.feishu, self.app, chat, user, message)
        event["message"].update(changes)
        return message, event

    def feishu(
        self, event_type: str, event: Mapping[str, Any], *, wrong: bool = False, age: timedelta = timedelta(0),
        key: str = "", extra: Mapping[str, Any] | None = None, times: int = 1,
    ) -> list[Answer]:  # fmt: skip
        """Push an event, `times` times the very same bytes."""
        told = {**envelope(self.app, event_type, event, self._now - age), **(extra or {})}
        payload = encode(told)
        body = encode({"encrypt": encrypt(key, payload, b"0" * 16)}) if key else sealed(self.app, payload)
        headers = signed_headers(self.app, body, self._now - age, wrong)
        return [self.post("/feishu/events", headers, body) for _ in range(times)]

    # --- WeChat Pay ------------------------------------------------------------------------------------------------

    def wechatpay(
        self, event: str, content: Mapping[str, Any] | bytes, *, wrong: bool = False, age: timedelta = timedelta(0),
        key: str = "", extra: Mapping[str, Any] | None = None, without: tuple[str, ...] = (), times: int = 1,
        account: str = "pay-main",
    ) -> list[Answer]:  # fmt: skip
        pay = self._world.wechatpay
        merchant = pay.merchants[self._world.merchant_id]
        text = content.decode() if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False)
        told: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "create_time": rfc3339(self._now - age),
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": "…",
            "resource": {
                "original_type": "complaint",
                **seal_with_api_key(key or merchant.api_v3_key, text, "complaint").as_json(),
            },
            **(extra or {}),
        }
        for name in without:
            del told[name]
        body = json.dumps(told, ensure_ascii=False).encode()
        pair = merchant.key_for_notice(pay.signing_certificate())
        headers = signature_headers(pair, body, (self._now - age).timestamp(), wrong=wrong)
        return [self.post(f"/notify/{account}", headers, body) for _ in range(times)]

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        url = f"{self._world.demo.bot_url}{path}"
        answer = httpx.post(url, content=body, headers=dict(headers), timeout=10, trust_env=False)
        # What is refused learns nothing about why.
        if answer.status_code != 200:
            for told in ("signature", "decrypt", "key", "Traceback", "timestamp"):
                assert told not in answer.text
        return answer
