"""The engine with every job under the correlation id of what led to it: in its log lines, metrics and span."""

from __future__ import annotations

import sys
import time
from contextvars import ContextVar

import structlog
from sqlalchemy.orm import Session

from bot.jobs.engine import INTERACTIVE, URGENT, Engine, OnFailure, Payload
from bot.jobs.names import PROCESS, PROCESS_ALL
from bot.telemetry import correlation
from bot.telemetry.metrics import Metrics
from bot.telemetry.spans import NoSpans, Spans
from storage.database import Database

log = structlog.get_logger("engine")

_failed: ContextVar[bool] = ContextVar("failed", default=False)


class InstrumentedEngine(Engine):
    """`when_failed` takes the place of `on_failure`, which stays ours."""

    def __init__(
        self,
        database: Database,
        executor: str,
        metrics: Metrics | None = None,
        spans: Spans | None = None,
        poll: float | None = None,
    ) -> None:
        super().__init__(database, executor, poll)
        self._metrics = metrics or Metrics()
        self._spans: Spans = spans or NoSpans()
        self.when_failed: OnFailure | None = None
        self.on_failure = self._told

    def enqueue(
        self,
        session: Session,
        job: str,
        id: str,
        payload: Payload,
        *,
        queue: str = INTERACTIVE,
        partition: str | None = None,
        priority: int = URGENT,
    ) -> None:
        """As the engine does; the payload says under which correlation id the work runs."""
        marked = {**payload}
        marked.setdefault(correlation.KEY, correlation.current() or correlation.id_of(id))
        if span := self._spans.here():
            marked[correlation.SPAN] = span
        super().enqueue(session, job, id, marked, queue=queue, partition=partition, priority=priority)

    def run(self, job: str, payload: Payload) -> None:
        if job == PROCESS_ALL:
            super().run(job, payload)  # each item in it is a job of its own, with an id of its own
            return
        # What came in together was stored by one of its senders; each item has the correlation id of its own.
        correlation_id = (
            correlation.id_of(str(payload["id"])) if job == PROCESS else str(payload.get(correlation.KEY) or "")
        )
        parent = "" if job == PROCESS else str(payload.get(correlation.SPAN) or "")
        correlation_id = correlation_id or correlation.id_of(repr(sorted(payload.items(), key=str)))
        name = job if job in self._jobs else "unknown"
        started = time.monotonic()
        mark = _failed.set(False)
        try:
            with correlation.within(correlation_id), self._spans.job(name, correlation_id, parent) as span:
                super().run(job, payload)
                failed, seconds = _failed.get(), time.monotonic() - started
                correlation.follow(correlation_id)  # a job may have followed others meanwhile
                if failed:
                    span.failed("failed")
                about = {"inbox": payload["id"]} if job == PROCESS else {}
                log.info("job.done", job=name, failed=failed, ms=round(seconds * 1000), **about)
        finally:
            _failed.reset(mark)
        self._metrics.job(name, "failed" if failed else "done", seconds)

    def _told(self, job: str, payload: Payload, incident: str) -> None:
        _failed.set(True)
        if self.when_failed is not None:
            self.when_failed(job, payload, incident)


def error_at_hand() -> str:
    """The class of the error being handled; for what is called when a job has failed."""
    kind = sys.exc_info()[0]
    return kind.__name__ if kind is not None else ""
