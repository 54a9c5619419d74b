"""Spans by OpenTelemetry, sent as OTLP over HTTP. Imported only where an endpoint is set.

The trace id begins with the correlation id, and the id of the event's own span is made from it too, so the web process
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


def _trace_id(correlation_id: str) -> int:
    return int((correlation_id + hashlib.sha256(f"trace:{correlation_id}".encode()).hexdigest())[:32], 16)


def _root_id(correlation_id: str) -> int:
    return int(hashlib.sha256(f"span:{correlation_id}".encode()).hexdigest()[:16], 16)


def _below(correlation_id: str, parent: int) -> Context:
    """Where a span goes whose parent was made in another process, or earlier."""
    above = SpanContext(_trace_id(correlation_id), parent, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(above), Context())


class _Ids(RandomIdGenerator):
    """Random, but for the one span with which a correlation id begins."""

    def __init__(self) -> None:
        self._next = threading.local()

    @contextmanager
    def beginning(self, correlation_id: str) -> Iterator[None]:
        self._next.correlation_id = correlation_id
        try:
            yield
        finally:
            self._next.correlation_id = ""

    def generate_trace_id(self) -> int:
        correlation_id = getattr(self._next, "correlation_id", "")
        return _trace_id(correlation_id) if correlation_id else super().generate_trace_id()

    def generate_span_id(self) -> int:
        correlation_id = getattr(self._next, "correlation_id", "")
        return _root_id(correlation_id) if correlation_id else super().generate_span_id()


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
    def event(self, name: str, correlation_id: str, source: str) -> Iterator[_Marked]:
        attributes = {"mpops.trail": correlation_id, "mpops.source": source}
        with self._ids.beginning(correlation_id):
            span = self._tracer.start_span(name, Context(), SpanKind.SERVER, attributes)
        with self._under(span):
            yield _Marked(span)

    @contextmanager
    def job(self, name: str, correlation_id: str, parent: str) -> Iterator[_Marked]:
        context = _below(correlation_id, int(parent, 16) if parent else _root_id(correlation_id))
        span = self._tracer.start_span(f"job {name}", context, SpanKind.CONSUMER, {"mpops.trail": correlation_id})
        with self._under(span):
            yield _Marked(span)

    @contextmanager
    def _under(self, span: OtelSpan) -> Iterator[None]:
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            yield

    def call(self, name: str, seconds: float, outcome: str, correlation_id: str, about: Mapping[str, str]) -> None:
        ended = time.time_ns()
        # A job may do something for another correlation id, as when it sends all that waits in a chat.
        elsewhere = correlation_id and get_current_span().get_span_context().trace_id != _trace_id(correlation_id)
        span = self._tracer.start_span(
            name,
            _below(correlation_id, _root_id(correlation_id)) if elsewhere else None,
            SpanKind.CLIENT,
            {**about, "mpops.trail": correlation_id, "mpops.outcome": outcome},
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
