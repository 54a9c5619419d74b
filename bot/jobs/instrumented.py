"""The engine with every job on the trail of what led to it: in its log lines, its metrics and its span."""

from __future__ import annotations

import sys
import time
from contextvars import ContextVar

import structlog
from sqlalchemy.orm import Session

from bot.incoming.processing import PROCESS, PROCESS_ALL
from bot.jobs.engine import INTERACTIVE, Engine, OnFailure, Payload
from bot.telemetry import trail
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
    ) -> None:
        """As the engine does; the payload says which trail the work is on."""
        marked = {**payload}
        marked.setdefault(trail.KEY, trail.current() or trail.trail_of(id))
        if span := self._spans.here():
            marked[trail.SPAN] = span
        super().enqueue(session, job, id, marked, queue=queue, partition=partition)

    def run(self, job: str, payload: Payload) -> None:
        if job == PROCESS_ALL:
            super().run(job, payload)  # each item in it is a job of its own, on its own trail
            return
        # What came in together was stored by one of its senders; each item has the trail of its own id.
        path = trail.trail_of(str(payload["id"])) if job == PROCESS else str(payload.get(trail.KEY) or "")
        parent = "" if job == PROCESS else str(payload.get(trail.SPAN) or "")
        path = path or trail.trail_of(repr(sorted(payload.items(), key=str)))
        name = job if job in self._jobs else "unknown"
        started = time.monotonic()
        mark = _failed.set(False)
        try:
            with trail.on(path), self._spans.job(name, path, parent) as span:
                super().run(job, payload)
                failed, seconds = _failed.get(), time.monotonic() - started
                trail.follow(path)  # a job may have followed others' trails meanwhile
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
