"""The fake Feishu as one object: people and clicks for the console and for tests, HTTP for apps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from sandbox.faults import CallFault
from sandbox.feishu import company, routes
from sandbox.feishu.client import Client
from sandbox.feishu.faults import FAULTS, error_answer
from sandbox.feishu.page import page
from sandbox.feishu.panel import Panel
from sandbox.feishu.pushes import PLATFORM, Verification
from sandbox.panel import Action, Viewer
from sandbox.platform import Picture, Platform


class Feishu(Client, Platform):
    """State, people, clicks and events; `app` is the app under test, with `event_url` as its callback address."""

    name = PLATFORM
    title = {"zh": "飞书", "en": "Feishu"}
    prefixes = ("/open-apis", "/callback/ws")
    secret_paths = ("/auth/", "/callback/ws")
    faults = FAULTS

    def start(self) -> None:
        self.long_connection.start()

    def stop(self) -> None:
        self.long_connection.stop()
        self.events.close()

    def blueprint(self) -> Blueprint:
        return routes.blueprint(self, self.update_later)

    def error_answer(self, kind: CallFault) -> Response:
        return error_answer(kind)

    def actions(self) -> Mapping[str, Action[Any]]:
        return Panel(self).actions()

    def page(self, who: Viewer) -> Mapping[str, Any]:
        with self.world.lock:
            return page(self.store, who)

    def picture(self, key: str) -> Picture | None:
        upload = self.store.uploads.get(key)
        return Picture(upload.content_type, upload.data) if upload is not None and upload.kind == "image" else None

    def found_company(self) -> Mapping[str, Any]:
        return company.found(self)

    def environment(self) -> Mapping[str, str]:
        return company.environment(self.app, self.world.base_url)

    def connect(self, program: str) -> None:
        company.connect(self.app, program)

    def revoke_tokens(self) -> int:
        """Take back every token at once: calls with one of them get 99991663. How many there were."""
        with self.world.lock:
            count = len(self.store.tokens)
            self.store.tokens.clear()
        return count

    def verify_callback(self) -> Verification:
        """What pressing Save beside the callback address does: a challenge that must come back within 1 s."""
        return self.events.verify(self.app)
