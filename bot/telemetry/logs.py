"""Structured logs: an event name and key-values, one incident id from event to effect, nothing secret."""

from __future__ import annotations

import logging
import re
import secrets
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

# What must never stand in a log line, whoever wrote it: tokens, keys in PEM, phone numbers of mainland China.
_SECRETS = (
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL), "[key]"),
    (re.compile(r"\b[tu]-[A-Za-z0-9_.-]{16,}"), "[token]"),
    (re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)"), "[phone]"),
    (re.compile(r"(?i)(authorization|app_secret|secret|password|api_v3_key)([\"'=: ]+)[^\s,\"'}]+"), r"\1\2[hidden]"),
)


def redacted(value: str) -> str:
    for pattern, instead in _SECRETS:
        value = pattern.sub(instead, value)
    return value


def _redact(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if not name.startswith("_"):  # structlog's own
            event[name] = _inside(value)
    return event


def _inside(value: object) -> object:
    """The value with everything in it redacted; an object that only its own words describe becomes those words."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {str(name): _inside(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_inside(inner) for inner in value]
    return redacted(repr(value))


def configure(level: str, style: str) -> None:
    """Send everything, also what libraries log, to standard error in one form."""
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    last: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _redact,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "apscheduler", "alembic", "dbos", "Lark"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # waitress warns of every request that waits for a thread: under load that is a line an event.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def new_incident() -> str:
    """A short id that an operator can read out: it stands in the chat and in the log line.

    Work that follows from an event has the event's correlation id for it: looked for in the log, it tells the whole
    story.
    """
    return str(structlog.contextvars.get_contextvars().get("trail") or secrets.token_hex(4))
