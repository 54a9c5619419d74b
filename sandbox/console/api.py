"""HTTP of the console: the page and its files, the state to poll, and the actions. Loopback only, same origin only."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, request, send_file, send_from_directory
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from sandbox.console import views
from sandbox.console.actions import actions
from sandbox.panel import NotPossible, Viewer
from sandbox.platform import Platform
from sandbox.world import World

HERE = Path(__file__).parent
STATIC = HERE / "static"
VCHART = HERE / "node_modules" / "@visactor" / "vchart" / "build" / "index.min.js"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
IMAGE_KEY = re.compile(r"[A-Za-z0-9_-]{1,200}")
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
MAX_BODY = 1024 * 1024  # bytes of one action
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def blueprint(world: World, platforms: Sequence[Platform]) -> Blueprint:
    """`/` is the page, everything else is below `/console`. Raises ValueError where two actions have one name."""
    console = Blueprint("console", __name__)
    known = actions(world, platforms)
    boot = secrets.token_hex(8)
    # Whether a card can still be clicked depends on the time, so the page must look again when it moves.
    world.clock.on_change(world.changed)

    @console.before_request
    def only_the_page_itself() -> ResponseReturnValue | None:
        refusal = _refusal()
        return (jsonify({"error": refusal}), 403) if refusal else None

    @console.after_request
    def lock_down(answer: Response) -> Response:
        answer.headers.setdefault("Content-Security-Policy", POLICY)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        answer.headers.setdefault("Cache-Control", "no-cache")
        return answer

    @console.get("/")
    def page() -> ResponseReturnValue:
        return send_from_directory(STATIC, "index.html")

    @console.get("/console/static/<path:name>")
    def static_file(name: str) -> ResponseReturnValue:
        return send_from_directory(STATIC, name)

    @console.get("/console/vchart.js")
    def chart_library() -> ResponseReturnValue:
        if not VCHART.exists():
            abort(404)
        return send_file(VCHART, mimetype="text/javascript")

    @console.get("/console/image/<key>")
    def image(key: str) -> ResponseReturnValue:
        found = (platform.picture(key) for platform in platforms) if IMAGE_KEY.fullmatch(key) else ()
        picture = next((one for one in found if one is not None), None)
        if picture is None:
            abort(404)
        kind = picture.content_type if picture.content_type in IMAGE_TYPES else "application/octet-stream"
        answer = Response(picture.data, mimetype=kind)
        answer.headers["Cache-Control"] = "private, max-age=3600"
        answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return answer

    @console.get("/console/state")
    def state() -> ResponseReturnValue:
        query = request.args
        since, version = _number(query.get("since")), _number(query.get("version"), -1)
        who = Viewer(query.get("me", ""), query.get("chat", ""))
        told = views.state(world, platforms, who, version, since, charts=VCHART.exists())
        answer = jsonify({"boot": boot, **told})
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @console.post("/console/<path:name>")
    def act(name: str) -> ResponseReturnValue:
        action = known.get(name)
        if action is None:
            return jsonify({"error": f"no action {name}"}), 404
        if request.mimetype != "application/json" or (request.content_length or 0) > MAX_BODY:
            return jsonify({"error": "an action is a JSON object of at most 1 MB"}), 400
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            return jsonify({"error": "an action is a JSON object"}), 400
        who = Viewer(str(body.pop("me", "")), str(body.get("chat", "")))
        try:
            return jsonify(action.run(who, body))
        except ValidationError as error:
            return jsonify({"error": _complaints(error)}), 400
        except KeyError as error:
            return jsonify({"error": str(error.args[0]) if error.args else "not found"}), 404
        except (NotPossible, ValueError) as error:
            return jsonify({"error": str(error)}), 409

    @console.errorhandler(HTTPException)
    def refused(error: HTTPException) -> ResponseReturnValue:
        return jsonify({"error": error.name}), error.code or 500

    return console


def _refusal() -> str:
    """Why this request is not from the page itself, "" when it is. A web site elsewhere must not drive the sandbox."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if host not in LOOPBACK:
        return "the console answers on loopback only"
    if request.method in ("GET", "HEAD"):
        return ""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return "actions come from the console's own page"
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return "actions come from the console's own page"
    return ""


def _number(text: str | None, default: int = 0) -> int:
    try:
        return int(text or default)
    except ValueError:
        return default


def _complaints(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(str(part) for part in one['loc']) or 'body'}: {one['msg']}" for one in problems)
