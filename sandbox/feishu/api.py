"""Feishu's HTTP side: who calls, how often, and the envelope of answers; and the endpoints around the app itself."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from sandbox.feishu.errors import Refused, field_error, missing_scope
from sandbox.feishu.state import App, Token, new_id

if TYPE_CHECKING:
    from sandbox.feishu.platform import Feishu

TOKEN_LIFE = timedelta(seconds=7200)
RENEWAL = timedelta(minutes=30)
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

    def __init__(self, feishu: Feishu) -> None:
        self.feishu = feishu
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
                self.feishu.limits.api(app.app_id, name, per_second, per_minute)
                body = json_body() if request.mimetype != "multipart/form-data" else {}
                with self.feishu.world.lock:
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
        with self.feishu.world.lock:
            token = self.feishu.store.tokens.get(value)
            if token is None or token.kind != "tenant" or token.expires_at <= self.feishu.store.now():
                raise Refused(
                    99991663, "Invalid access token for authorization. Please make a request with token attached."
                )
            return self.feishu.store.apps[token.app_id]


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


def blueprint(feishu: Feishu) -> Blueprint:
    from sandbox.feishu import routes_directory, routes_files, routes_messages

    api = Api(feishu)
    _identity(api)
    routes_messages.register(api)
    routes_files.register(api)
    routes_directory.register(api)
    return api.routes


def _identity(api: Api) -> None:
    feishu = api.feishu

    def tenant_token() -> Response:
        return _guarded(lambda: answer({"code": 0, "msg": "ok", **_tokens(feishu, ("tenant",))}))

    def app_token() -> Response:
        return _guarded(lambda: answer({"code": 0, "msg": "ok", **_tokens(feishu, ("app", "tenant"))}))

    def endpoint() -> Response:
        return _guarded(lambda: _endpoint(feishu))

    def bot_info(caller: Caller) -> Data:
        app = caller.app
        bot = {
            "activate_status": 2,
            "app_name": app.name,
            "avatar_url": "",
            "ip_white_list": list(app.ip_allow_list),
            "open_id": app.bot_open_id,
        }
        return {"bot": bot}

    def scopes(caller: Caller) -> Data:
        return {"scopes": [{"scope_name": name, "grant_status": 1} for name in sorted(caller.app.scopes)]}

    api.open("POST", "/open-apis/auth/v3/tenant_access_token/internal", tenant_token)
    api.open("POST", "/open-apis/auth/v3/app_access_token/internal", app_token)
    api.open("POST", "/callback/ws/endpoint", endpoint)
    api.on("GET", "/open-apis/bot/v3/info", bot_info, plain=True)
    api.on("GET", "/open-apis/application/v6/scopes", scopes)


def _guarded(make: Callable[[], Response]) -> Response:
    try:
        return make()
    except Refused as refused:
        return refusal(refused)


def _tokens(feishu: Feishu, kinds: tuple[str, ...]) -> dict[str, Any]:
    body = json_body()
    app_id, secret = body.get("app_id"), body.get("app_secret")
    if not isinstance(app_id, str) or not isinstance(secret, str) or not app_id or not secret:
        raise Refused(10003, "invalid param")
    with feishu.world.lock:
        app = feishu.store.apps.get(app_id)
        if app is None:
            raise Refused(10003, "invalid param")
        if not secrets.compare_digest(app.secret.encode(), secret.encode()):
            raise Refused(10015, "app secret invalid")
        made: dict[str, Any] = {}
        for kind in kinds:
            token = _token(feishu, app, kind)
            made[f"{kind}_access_token"] = token.value
            made["expire"] = math.floor((token.expires_at - feishu.store.now()).total_seconds())
        return made


def _token(feishu: Feishu, app: App, kind: str) -> Token:
    """The same token while it lives 30 minutes more; else a new one, and both stay valid."""
    now = feishu.store.now()
    mine = [token for token in feishu.store.tokens.values() if token.app_id == app.app_id and token.kind == kind]
    newest = max(mine, key=lambda token: token.expires_at, default=None)
    if newest is not None and newest.expires_at - now >= RENEWAL and newest.expires_at - now <= TOKEN_LIFE:
        return newest
    value = f"{'t' if kind == 'tenant' else 'a'}-{secrets.token_urlsafe(28)}"
    token = Token(value, app.app_id, kind, now + TOKEN_LIFE)
    feishu.store.tokens[value] = token
    return token


def _endpoint(feishu: Feishu) -> Response:
    body = json_body()
    app = feishu.store.apps.get(str(body.get("AppID")))
    if app is None or not body.get("AppSecret"):
        raise Refused(1000040344, "no credential", 200)
    if not secrets.compare_digest(app.secret.encode(), str(body["AppSecret"]).encode()):
        raise Refused(514, "auth failed", 200)
    return answer({"code": 0, "msg": "", "data": feishu.long_connection.endpoint(app)})
