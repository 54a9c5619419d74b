"""Spans by OpenTelemetry, sent as OTLP over HTTP. Imported only where an endpoint is set.

The trace id begins with the trail, and the id of the event's own span is made from it too, so that the web process
that took an event and the worker that works it off write one trace without telling each other anything.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
    use_span,
)
from opentelemetry.trace import Span as OtelSpan


def _trace_id(trail: str) -> int:
    return int((trail + hashlib.sha256(f"trace:{trail}".encode()).hexdigest())[:32], 16)


def _root_id(trail: str) -> int:
    return int(hashlib.sha256(f"span:{trail}".encode()).hexdigest()[:16], 16)


def _below(trail: str, parent: int) -> Context:
    """Where a span goes whose parent was made in another process, or earlier."""
    above = SpanContext(_trace_id(trail), parent, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(above), Context())


class _Ids(RandomIdGenerator):
    """Random, but for the one span that begins a trail."""

    def __init__(self) -> None:
        self._next = threading.local()

    @contextmanager
    def beginning(self, trail: str) -> Iterator[None]:
        self._next.trail = trail
        try:
            yield
        finally:
            self._next.trail = ""

    def generate_trace_id(self) -> int:
        trail = getattr(self._next, "trail", "")
        return _trace_id(trail) if trail else super().generate_trace_id()

    def generate_span_id(self) -> int:
        trail = getattr(self._next, "trail", "")
        return _root_id(trail) if trail else super().generate_span_id()


class _Marked:
    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    def failed(self, why: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, why))


class OtelSpans:
    def __init__(self, endpoint: str, name: str) -> None:
        """`endpoint`: where OTLP over HTTP is taken, such as http://127.0.0.1:4318; the path is added."""
        self._ids = _Ids()
        address = endpoint.rstrip("/")
        if not address.endswith("/v1/traces"):
            address += "/v1/traces"
        resource = Resource.create({"service.name": "mpops", "service.instance.id": name})
        self._provider = TracerProvider(resource=resource, id_generator=self._ids)
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=address, timeout=5), schedule_delay_millis=1000)
        )
        self._tracer = self._provider.get_tracer("mpops")

    @contextmanager
    def event(self, name: str, trail: str, source: str) -> Iterator[_Marked]:
        attributes = {"mpops.trail": trail, "mpops.source": source}
        with self._ids.beginning(trail):
            span = self._tracer.start_span(name, Context(), SpanKind.SERVER, attributes)
        with self._under(span):
            yield _Marked(span)

    @contextmanager
    def job(self, name: str, trail: str, parent: str) -> Iterator[_Marked]:
        context = _below(trail, int(parent, 16) if parent else _root_id(trail))
        span = self._tracer.start_span(f"job {name}", context, SpanKind.CONSUMER, {"mpops.trail": trail})
        with self._under(span):
            yield _Marked(span)

    @contextmanager
    def _under(self, span: OtelSpan) -> Iterator[None]:
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            yield

    def call(self, name: str, seconds: float, outcome: str, trail: str, about: Mapping[str, str]) -> None:
        ended = time.time_ns()
        # A job may do something for another trail, as when it sends all that waits in a chat.
        elsewhere = trail and get_current_span().get_span_context().trace_id != _trace_id(trail)
        span = self._tracer.start_span(
            name,
            _below(trail, _root_id(trail)) if elsewhere else None,
            SpanKind.CLIENT,
            {**about, "mpops.trail": trail, "mpops.outcome": outcome},
            start_time=ended - int(seconds * 1e9),
        )
        if outcome != "done":
            span.set_status(Status(StatusCode.ERROR, outcome))
        span.end(ended)

    def here(self) -> str:
        found = get_current_span().get_span_context()
        return f"{found.span_id:016x}" if found.is_valid else ""

    def close(self) -> None:
        self._provider.shutdown()
