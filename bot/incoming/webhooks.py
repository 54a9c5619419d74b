"""Where the outside comes in: prove who sent it, store it once, answer. Nothing else happens here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from flask import Blueprint, Request, Response, request
from sqlalchemy.exc import SQLAlchemyError

from bot.cards.actions import ActionSigner
from bot.feishu.envelope import LARGEST, Challenge, Envelope, Refused, open_envelope
from bot.feishu.events import Malformed, parse
from bot.feishu.values import CardClicked
from bot.incoming.batching import BatchWriter
from bot.incoming.clicks import Toast, preview
from bot.incoming.failure_limit import FailureLimiter
from bot.incoming.processing import FEISHU, REFUSED_CLICK
from bot.incoming.router import Router
from bot.incoming.tenant import KnownTenant
from bot.incoming.unhandled import is_unhandled_on_arrival, is_urgent, read_event
from bot.telemetry import correlation
from bot.telemetry.metrics import Metrics
from bot.telemetry.spans import NoSpans, Spans
from bot.texts import Catalogue, text
from bot.unit import Units
from storage.core.inbox import Arrival

log = structlog.get_logger("ingress")
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


@dataclass(frozen=True, slots=True)
class Pushed:
    """A channel's push that proved who sent it. `body` is what the inbox keeps."""

    key: str
    event: str
    body: str


@dataclass(frozen=True, slots=True)
class PushAnswer:
    status: int
    body: bytes
    content_type: str


class PushPort(Protocol):
    """One account that channels push to, looked up once a push."""

    @property
    def max_bytes(self) -> int: ...

    def open(self, headers: Mapping[str, str], body: bytes) -> Pushed | None:
        """None for a push that does not prove who sent it."""
        ...

    def accepted(self) -> PushAnswer: ...

    def refused(self) -> PushAnswer: ...


class PushPorts(Protocol):
    """The channels' side of `/notify/<account>`."""

    def account(self, key: str) -> PushPort | None:
        """None for an account that is not there or takes no pushes."""
        ...


@dataclass(frozen=True, slots=True)
class FeishuKeys:
    encrypt_key: str
    verification_token: str
    encrypt_key_previous: str = ""  # while they are changed in the console
    verification_token_previous: str = ""
    app_id: str = ""  # "": events of any app are taken


class Webhooks:
    """`own_id` answers at once, with "" while our own open id is not known."""

    def __init__(
        self,
        units: Units,
        router: Router,
        signer: ActionSigner,
        catalogue: Catalogue,
        keys: FeishuKeys,
        pushes: PushPorts,
        own_id: Callable[[], str],
        metrics: Metrics,
        spans: Spans | None = None,
    ) -> None:
        self._units = units
        self._router = router
        self._signer = signer
        self._catalogue = catalogue
        self._keys = keys
        self._pushes = pushes
        self._own_id = own_id
        self._metrics = metrics
        self._spans: Spans = spans or NoSpans()
        self._batches = BatchWriter(units)
        self._failures = FailureLimiter()
        self._tenant = KnownTenant(units.database, keys.app_id, units.clock)

    def blueprint(self) -> Blueprint:
        routes = Blueprint("ingress", __name__)
        routes.add_url_rule("/feishu/events", view_func=self.feishu, methods=["POST"])
        routes.add_url_rule("/notify/<account>", view_func=self.notify, methods=["POST", "GET"])
        return routes

    # --- Feishu ----------------------------------------------------------------------------------------------------

    def feishu(self) -> Response:
        body = _body(request, LARGEST)
        if body is None:
            self._metrics.refused("feishu", "too large")
            return _json({"code": 413, "msg": "too large"}, 413)
        try:
            opened = open_envelope(
                dict(request.headers),
                body,
                encrypt_key=self._keys.encrypt_key,
                verification_token=self._keys.verification_token,
                now=self._units.clock.now(),
                takes_unsigned=not self._failures.is_exceeded,
                encrypt_key_previous=self._keys.encrypt_key_previous,
                verification_token_previous=self._keys.verification_token_previous,
                app_id=self._keys.app_id,
                takes_tenant=self._tenant.takes,
            )
        except Refused as refusal:
            unwritten = self._failures.failed()
            if unwritten is not None:
                log.warning("feishu.refused", why=refusal.reason, size=len(body), unwritten=unwritten)
            self._metrics.refused("feishu", refusal.reason)
            return _json({"code": 401, "msg": "refused"}, 401)
        except SQLAlchemyError as error:
            # Whose it is cannot be told now, so nothing is stored and nothing acknowledged.
            log.error("feishu.not_stored", error=type(error).__name__)
            return _json({"code": 503, "msg": "try again"}, 503)
        if isinstance(opened, Challenge):
            return _json({"challenge": opened.value})
        correlation_id = correlation.id_of(_id(opened))
        with correlation.within(correlation_id), self._spans.event(opened.event_type, correlation_id, "feishu"):
            return self._click(opened) if opened.event_type == "card.action.trigger" else self._event(opened)

    def _event(self, opened: Envelope) -> Response:
        own_id = self._own_id()
        value = read_event(opened, own_id, _id(opened))
        unhandled = is_unhandled_on_arrival(value, own_id, self._router, self._units.areas)
        try:
            fresh = self._batches.store(
                self._arrival(opened, opened.event_type, unhandled=unhandled, is_urgent=is_urgent(value))
            )
        except SQLAlchemyError as error:
            # Not stored, so not acknowledged: Feishu comes again.
            log.error("feishu.not_stored", error=type(error).__name__)
            return _json({"code": 503, "msg": "try again"}, 503)
        self._metrics.received("feishu", opened.event_type, fresh)
        return _json({"code": 0, "msg": "ok"})

    def _click(self, envelope: Envelope) -> Response:
        """A click is looked at for its toast, stored, and carried out by the inbox."""
        try:
            value = parse(envelope, "")  # who we are matters for mentions only, and asking may take seconds
        except Malformed:
            return _json({})
        if not isinstance(value, CardClicked):
            return _json({})
        if not self._router.rate_limiter.click(value.operator_open_id, self._units.clock.now()):
            return _json(self._toast(Toast("warning", text("click.slow_down"))))
        try:
            # On a reader: whoever clicks waits for this, and not for those who write just now.
            with self._units.look(_id(envelope)) as unit:
                toast = preview(unit, value, self._signer, self._router)
            if not toast.stranger or self._router.rate_limiter.stranger_click(value.chat_id, self._units.clock.now()):
                kind = f"{REFUSED_CLICK}{toast.words.key}" if toast.refused else envelope.event_type
                self._store_click(envelope, kind)
        except SQLAlchemyError as error:
            log.error("feishu.click_not_stored", error=type(error).__name__)
            toast = Toast("error", text("click.try_again"))  # clicks are never retried by Feishu
        return _json(self._toast(toast))

    def _store_click(self, envelope: Envelope, kind: str) -> None:
        arrival = self._arrival(envelope, kind, is_urgent=True)
        fresh = self._batches.store(arrival)
        self._metrics.received("feishu", envelope.event_type, fresh)
        log.info("click.stored", inbox=arrival.id, kind=kind, fresh=fresh)

    def _arrival(self, envelope: Envelope, kind: str, *, unhandled: bool = False, is_urgent: bool = False) -> Arrival:
        now = self._units.clock.now()
        return Arrival(_id(envelope), FEISHU, kind[:200], envelope.dump(), now, unhandled, is_urgent)

    def _toast(self, toast: Toast) -> dict[str, object]:
        chinese, english = (self._catalogue.render(toast.words, language) for language in ("zh_cn", "en_us"))
        return {
            "toast": {"type": toast.kind, "content": chinese, "i18n": {"zh_cn": chinese, "en_us": english}},
        }

    # --- channels --------------------------------------------------------------------------------------------------

    def notify(self, account: str) -> Response:
        try:
            return self._notify(account)
        except SQLAlchemyError as error:
            # Not stored, so not acknowledged: the channel comes again.
            log.error("notify.not_stored", account=account, error=type(error).__name__)
            return _json({"code": "FAIL", "message": "try again"}, 503)

    def _notify(self, account: str) -> Response:
        port = self._pushes.account(account) if _ACCOUNT.fullmatch(account) else None
        if port is None:
            return _json({"code": "FAIL", "message": "unknown"}, 404)
        body = _body(request, port.max_bytes)
        if body is None:
            self._metrics.refused(account, "too large")
            return _json({"code": "FAIL", "message": "too large"}, 413)
        pushed = port.open(dict(request.headers), body)
        if pushed is None:
            self._metrics.refused(account)
            return _pushed(port.refused())
        id = f"notify:{account}:{pushed.key}"[:200]
        correlation_id = correlation.id_of(id)
        with correlation.within(correlation_id), self._spans.event(pushed.event, correlation_id, account):
            now = self._units.clock.now()
            fresh = self._batches.store(Arrival(id, f"channel:{account}", pushed.event[:200], pushed.body, now))
            log.info("notify.stored", inbox=id, kind=pushed.event[:200], fresh=fresh)
        self._metrics.received(account, pushed.event, fresh)
        return _pushed(port.accepted())


def _id(envelope: Envelope) -> str:
    return f"feishu:{envelope.natural_id}"[:200]


def _body(incoming: Request, largest: int) -> bytes | None:
    """The raw body, or None when it is larger than allowed; never more than that is read."""
    if incoming.content_length is not None and incoming.content_length > largest:
        return None
    body = incoming.stream.read(largest + 1)
    return None if len(body) > largest else body


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, content_type="application/json; charset=utf-8")


def _pushed(answer: PushAnswer) -> Response:
    return Response(answer.body, answer.status, content_type=answer.content_type)
