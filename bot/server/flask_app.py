"""The Flask application: webhooks, health, readiness, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from bot.area import Areas
from bot.contributions.web_routes import Routes
from bot.incoming.webhooks import Webhooks
from bot.telemetry.metrics import Metrics

log = structlog.get_logger("web")


def build_app(webhooks: Webhooks, metrics: Metrics, ready: Callable[[], Mapping[str, bool]], areas: Areas) -> Flask:
    app = Flask("mpops", static_folder=None)
    app.url_map.merge_slashes = False  # else //… is answered by a redirect to whatever host the sender names
    app.register_blueprint(webhooks.blueprint())

    for routes in areas.of(Routes):
        app.register_blueprint(routes.blueprint())

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="up")

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        parts = dict(ready())
        well = all(parts.values())
        return jsonify(status="ready" if well else "not ready", **parts), 200 if well else 503

    @app.get("/metrics")
    def numbers() -> Response:
        return Response(metrics.page(), content_type="text/plain; version=0.0.4; charset=utf-8")

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int]:
        return jsonify(code=error.code, msg=error.name), error.code or 500

    @app.errorhandler(Exception)
    def broken(error: Exception) -> tuple[Response, int]:
        log.exception("web.failed", error=type(error).__name__)
        return jsonify(code=500, msg="Internal Server Error"), 500

    return app
