"""Feishu's HTTP side: who calls, how often, and the envelope of answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from sandbox.feishu.core import Core
from sandbox.feishu.errors import Refused, field_error, missing_scope
from sandbox.feishu.state import App, new_id

Data = Mapping[str, Any]


def answer(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(content, ensure_ascii=False)
    made = Response(text, status, content_type="application/json; charset=utf-8")
    made.headers["X-Tt-Logid"] = new_id("")
    for name, value in (headers or {}).items():
        made.headers[name] = value
    return made


def refusal(refused: Refused) -> Response:
    log_id = new_id("")
    error = {"log_id": log_id, "troubleshooter": "see the log id in the developer console", **refused.error}
    made = answer({"code": refused.code, "msg": refused.msg, "error": error}, refused.status, refused.headers)
    made.headers["X-Tt-Logid"] = log_id
    return made


@dataclass(frozen=True, slots=True)
class Caller:
    """One authorised call: the app, and the body as JSON ({} when there is none)."""

    app: App
    body: dict[str, Any]

    def text(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return request.args.get(name, default)

    def number(self, name: str, default: int, most: int | None = None) -> int:
        raw = request.args.get(name)
        try:
            value = int(raw) if raw else default
        except ValueError:
            raise field_error(name, f"{name} is not a number") from None
        if most is not None and not 1 <= value <= most:
            raise field_error(name, f"{name} should be between 1 and {most}")
        return value


class Api:
    """Registers endpoints that want a tenant token; handlers run under `world.lock` and answer the `data` part."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.routes = Blueprint("feishu", __name__)

    def on(
        self,
        method: str,
        rule: str,
        handler: Callable[..., Data | Response],
        scopes: tuple[str, ...] = (),
        per_second: int = 50,
        per_minute: int = 1000,
        plain: bool = False,
    ) -> None:
        """`plain` puts the answer beside `code` instead of under `data`."""
        name = f"{method} {rule}"

        def view(**parts: str) -> Response:
            try:
                app = self._authorised()
                if scopes and not app.has(*scopes):
                    raise missing_scope(scopes[0])
                self.core.limits.api(app.app_id, name, per_second, per_minute)
                body = json_body() if request.mimetype != "multipart/form-data" else {}
                with self.core.world.lock:
                    result = handler(Caller(app, body), **parts)
            except Refused as refused:
                return refusal(refused)
            if isinstance(result, Response):
                return result
            return answer(
                {"code": 0, "msg": "ok", **result} if plain else {"code": 0, "msg": "success", "data": result}
            )

        self.open(method, rule, view)

    def open(self, method: str, rule: str, view: Callable[..., Response]) -> None:
        """An endpoint that needs no token."""
        endpoint = f"{method} {rule}".replace(".", "_")
        self.routes.add_url_rule(rule, endpoint, view, methods=[method])

    def _authorised(self) -> App:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not value:
            raise Refused(
                99991661, "Missing access token for authorization. Please make a request with token attached."
            )
        if not value.startswith(("t-", "u-", "a-")):
            raise Refused(99991671, "Invalid access token for authorization. The token must start with t- or u-.")
        with self.core.world.lock:
            token = self.core.store.tokens.get(value)
            if token is None or token.kind != "tenant" or token.expires_at <= self.core.store.now():
                raise Refused(
                    99991663, "Invalid access token for authorization. Please make a request with token attached."
                )
            return self.core.store.apps[token.app_id]


def json_body() -> dict[str, Any]:
    """Content-Type does not matter: the Python SDK's generic calls send none."""
    raw = request.get_data()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refused(9499, "Bad Request: the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(9499, "Bad Request: the body is not an object")
    return body
