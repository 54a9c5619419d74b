"""All of Feishu's HTTP on one blueprint, and the endpoints around the app itself: tokens, bot, scopes."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response

from sandbox.feishu import routes_directory, routes_files, routes_messages
from sandbox.feishu.api import Api, Caller, Data, answer, json_body, refusal
from sandbox.feishu.core import Core
from sandbox.feishu.errors import Refused
from sandbox.feishu.state import App, Token

TOKEN_LIFE = timedelta(seconds=7200)
RENEWAL = timedelta(minutes=30)


def blueprint(core: Core, update_later: routes_messages.UpdateLater) -> Blueprint:
    api = Api(core)
    _identity(api)
    routes_messages.register(api, update_later)
    routes_files.register(api)
    routes_directory.register(api)
    return api.routes


def _identity(api: Api) -> None:
    core = api.core

    def tenant_token() -> Response:
        return _guarded(lambda: answer({"code": 0, "msg": "ok", **_tokens(core, ("tenant",))}))

    def app_token() -> Response:
        return _guarded(lambda: answer({"code": 0, "msg": "ok", **_tokens(core, ("app", "tenant"))}))

    def endpoint() -> Response:
        return _guarded(lambda: _endpoint(core))

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


def _tokens(core: Core, kinds: tuple[str, ...]) -> dict[str, Any]:
    body = json_body()
    app_id, secret = body.get("app_id"), body.get("app_secret")
    if not isinstance(app_id, str) or not isinstance(secret, str) or not app_id or not secret:
        raise Refused(10003, "invalid param")
    with core.world.lock:
        app = core.store.apps.get(app_id)
        if app is None:
            raise Refused(10003, "invalid param")
        if not secrets.compare_digest(app.secret.encode(), secret.encode()):
            raise Refused(10015, "app secret invalid")
        made: dict[str, Any] = {}
        for kind in kinds:
            token = _token(core, app, kind)
            made[f"{kind}_access_token"] = token.value
            made["expire"] = math.floor((token.expires_at - core.store.now()).total_seconds())
        return made


def _token(core: Core, app: App, kind: str) -> Token:
    """The same token while it lives 30 minutes more; else a new one, and both stay valid."""
    now = core.store.now()
    mine = [token for token in core.store.tokens.values() if token.app_id == app.app_id and token.kind == kind]
    newest = max(mine, key=lambda token: token.expires_at, default=None)
    if newest is not None and newest.expires_at - now >= RENEWAL and newest.expires_at - now <= TOKEN_LIFE:
        return newest
    value = f"{'t' if kind == 'tenant' else 'a'}-{secrets.token_urlsafe(28)}"
    token = Token(value, app.app_id, kind, now + TOKEN_LIFE)
    core.store.tokens[value] = token
    return token


def _endpoint(core: Core) -> Response:
    body = json_body()
    app = core.store.apps.get(str(body.get("AppID")))
    if app is None or not body.get("AppSecret"):
        raise Refused(1000040344, "no credential", 200)
    if not secrets.compare_digest(app.secret.encode(), str(body["AppSecret"]).encode()):
        raise Refused(514, "auth failed", 200)
    return answer({"code": 0, "msg": "", "data": core.long_connection.endpoint(app)})
