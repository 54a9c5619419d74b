"""How every call to Feishu is made: token, transport, errors, one log line.

See docs/platforms/feishu.md ("Token", "Answers", "The Python SDK").
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog

from bot.clock import Clock
from bot.feishu import slim_import
from bot.feishu.errors import (
    TOKEN_CODES,
    FeishuError,
    MissingScope,
    Retryable,
    Throttled,
    Unreachable,
    classify,
)
from bot.feishu.keepalive import keep_connections

DOMAINS = {"feishu": "https://open.feishu.cn", "lark": "https://open.larksuite.com"}
_RENEW_BEFORE = timedelta(minutes=5)
_log = structlog.get_logger("bot.feishu")


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its JSON, and its headers by lower-case name."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def data(self) -> Mapping[str, Any]:
        data = self.body.get("data")
        return data if isinstance(data, Mapping) else {}

    @property
    def date(self) -> datetime | None:
        """Feishu's own time, to the second."""
        try:
            date = parsedate_to_datetime(self.headers.get("date", ""))
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date


class Watch(Protocol):
    """Is told of every call once: what it was, `done` or the class of its error, and how long it took."""

    def __call__(self, operation: str, outcome: str, seconds: float) -> None: ...


@dataclass(slots=True)
class _Token:
    value: str = ""
    expires_at: datetime | None = None
    fetched_at: datetime | None = None


@dataclass
class Caller:
    """Speaks to one app of one Feishu. Safe to share between threads.

    The token is kept here and not in the SDK, whose cache is one for the whole process, knows apps but not domains,
    and never lets go of a token that was refused. `timeout` in seconds, to connect and between bytes.
    """

    app_id: str
    app_secret: str = field(repr=False)
    domain: str
    clock: Clock
    timeout: float = 10.0
    watch: Watch | None = None

    def __post_init__(self) -> None:
        self.domain = domain_address(self.domain)
        self._token = _Token()
        self._token_lock = threading.Lock()
        self._config: Any = None
        self._config_lock = threading.Lock()
        self._services: dict[str, Any] = {}

    def service(self, name: str, attribute: str) -> Any:
        """The SDK's service class `attribute` of module `name`, bound to this app; made once."""
        with self._config_lock:
            if name not in self._services:
                self._services[name] = getattr(slim_import.module(name), attribute)(self._settings())
            return self._services[name]

    def call(self, what: str, invoke: Callable[[Any], Any], *, with_card: bool = False) -> Answer:
        """Run `invoke` with the SDK's request option that carries the token; it must build its request anew each time.

        A token that was refused is fetched again and the call repeated once. Raises `FeishuError`.
        """
        token = self._take_token()
        try:
            return self._once(what, invoke, token, with_card)
        except FeishuError as error:
            if error.code not in TOKEN_CODES:
                raise
        self._drop_token(token)
        return self._once(what, invoke, self._take_token(), with_card)

    def plain(self, what: str, method: str, uri: str, body: Mapping[str, Any] | None = None) -> Answer:
        """A call that the SDK has no service for."""
        return self.call(what, lambda option: self._send(method, uri, body, option))

    def _settings(self) -> Any:
        if self._config is None:
            config = slim_import.module("lark_oapi.core.model").Config()
            config.app_id, config.app_secret = self.app_id, self.app_secret
            config.domain, config.timeout = self.domain, self.timeout
            config.enable_set_token = True
            keep_connections()
            self._config = config
        return self._config

    def _send(self, method: str, uri: str, body: Mapping[str, Any] | None, option: Any) -> Any:
        with self._config_lock:
            config = self._settings()
        core = slim_import.module("lark_oapi.core")
        request = core.BaseRequest()
        request.http_method, request.uri, request.body = core.HttpMethod[method], uri, body
        if option is None:
            option = core.RequestOption()
        else:
            request.token_types = {core.AccessTokenType.TENANT}
        if body is not None:
            option.headers["Content-Type"] = "application/json; charset=utf-8"
        return slim_import.module("lark_oapi.core.http").Transport.execute(config, request, option)

    def _once(self, what: str, invoke: Callable[[Any], Any], token: str | None, with_card: bool = False) -> Answer:
        started = time.perf_counter()
        code, status, log_id, failure = 0, 0, "", ""
        try:
            option = None
            if token is not None:
                option = slim_import.module("lark_oapi.core").RequestOption()
                option.tenant_access_token = token
            raw = _reach(what, invoke, option)
            headers = {str(name).lower(): str(value) for name, value in raw.headers.items()}
            status, log_id = raw.status_code, headers.get("x-tt-logid", "")
            body = _read(what, raw.content, status, log_id)
            code = body["code"]
            if code != 0:
                raise _error(what, body, headers, status, log_id, with_card)
            return Answer(body, headers)
        except FeishuError as error:
            failure = type(error).__name__
            raise
        finally:
            seconds = time.perf_counter() - started
            if self.watch is not None:
                self.watch(what, failure or "done", seconds)
            milliseconds = round(seconds * 1000)
            extra = {"failure": failure} if failure else {}
            log = _log.warning if failure else _log.info
            log("feishu.call", what=what, code=code, status=status, log_id=log_id, ms=milliseconds, **extra)

    def _take_token(self) -> str:
        with self._token_lock:  # one fetches, the others wait for it
            kept = self._token
            left = kept.expires_at - self.clock.now() if kept.expires_at else timedelta()
            if left > _RENEW_BEFORE:
                return kept.value
            try:
                self._token = self._fetch_token()
            except Retryable:
                if left <= timedelta():
                    raise
            return self._token.value

    def token_age(self) -> timedelta | None:
        """How long ago the token in use was fetched; None while there is none."""
        fetched = self._token.fetched_at
        return self.clock.now() - fetched if fetched is not None else None

    def _drop_token(self, refused: str) -> None:
        with self._token_lock:
            if self._token.value == refused:  # else somebody has fetched a new one already
                self._token = _Token()

    def _fetch_token(self) -> _Token:
        uri = "/open-apis/auth/v3/tenant_access_token/internal"
        secret = {"app_id": self.app_id, "app_secret": self.app_secret}
        answer = self._once("token", lambda option: self._send("POST", uri, secret, None), None)
        value, seconds = answer.body.get("tenant_access_token"), answer.body.get("expire")
        if not isinstance(value, str) or not isinstance(seconds, int):
            raise Unreachable("token", "the answer holds no token")
        now = self.clock.now()
        return _Token(value, now + timedelta(seconds=seconds), now)


def domain_address(domain: str) -> str:
    """`feishu`, `lark` or an https origin; plain http only to this machine, for the secret travels there."""
    address = DOMAINS.get(domain.strip().lower(), domain.strip()).rstrip("/")
    parts = urlsplit(address)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    trusted = parts.scheme == "https" or (parts.scheme == "http" and local)
    if not trusted or not parts.hostname or parts.path or parts.query:
        raise ValueError("the Feishu domain must be feishu, lark or an https address without a path")
    return address


def _reach(what: str, invoke: Callable[[Any], Any], option: Any) -> Any:
    try:
        answer = invoke(option)
    except OSError as error:  # requests' own errors are all of this kind
        raise Unreachable(what, type(error).__name__) from error
    except Exception as error:
        # The SDK reads the JSON of an answer before anybody can look at its status: a proxy's HTML page ends here.
        raise Unreachable(what, f"unreadable answer ({type(error).__name__})") from error
    return getattr(answer, "raw", answer)


def _read(what: str, content: bytes, status: int, log_id: str) -> Mapping[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("code"), int):
        raise Unreachable(what, "unreadable answer", status=status, log_id=log_id)
    return body


def _error(
    what: str, body: Mapping[str, Any], headers: Mapping[str, str], status: int, log_id: str, with_card: bool
) -> FeishuError:
    code, message = int(body["code"]), str(body.get("msg", ""))
    kind = classify(code, message, status=status, with_card=with_card)
    error = kind(what, message, code=code, status=status, log_id=log_id)
    if isinstance(error, Throttled):
        error.after = _seconds(headers.get("x-ogw-ratelimit-reset", ""))
    if isinstance(error, MissingScope):
        details = body.get("error")
        details = details if isinstance(details, Mapping) else {}
        error.scopes = _each(details.get("permission_violations"), "subject")
        error.helps = _each(details.get("helps"), "url")
    return error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return min(seconds, 3600.0) if seconds > 0 else 0.0


def _each(entries: object, key: str) -> tuple[str, ...]:
    found = (each.get(key) for each in entries if isinstance(each, Mapping)) if isinstance(entries, list) else ()
    return tuple(value for value in found if isinstance(value, str))
