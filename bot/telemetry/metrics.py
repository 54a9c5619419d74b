"""Numbers for Prometheus, in a registry of our own so that two bots can live in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest

from bot.telemetry.gauges import Measured, Reading

_MOST_KINDS = 100
# Why requests are refused; anything else is "other", so that no stranger makes rows here.
_REASONS = frozenset(
    {
        "unproven", "too large", "unsigned", "undecryptable", "not JSON", "not an object", "no event",
        "timestamp unreadable", "timestamp out of the window", "verification token missing or wrong",
        "plain body although an encrypt key is configured", "encrypted body although no encrypt key is configured",
        "neither an encrypt key nor a verification token is configured", "challenge missing",
        "another app", "another tenant",
    }
)  # fmt: skip
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    def __init__(self) -> None:
        # When a counter began is of no use to anybody here, and doubles the page.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # its authors gave it no types
        self.registry = CollectorRegistry()
        self._received = Counter(
            "mpops_received", "Events that came in", ["source", "kind", "fresh"], registry=self.registry
        )
        self._refused = Counter(
            "mpops_refused", "Requests that proved nothing", ["source", "reason"], registry=self.registry
        )
        self._limited = Counter(
            "mpops_limited", "Messages and clicks beyond what one person may ask", ["what"], registry=self.registry
        )
        self._channel_calls = Histogram(
            "mpops_channel_call_seconds",
            "Calls to channels",
            ["channel", "operation", "outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._feishu_calls = Histogram(
            "mpops_feishu_call_seconds",
            "Calls to Feishu",
            ["operation", "outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._jobs = Histogram(
            "mpops_job_seconds", "Jobs run here", ["job", "outcome"], buckets=_SECONDS, registry=self.registry
        )
        self._kinds: set[str] = set()

    def received(self, source: str, kind: str, fresh: bool) -> None:
        # The sender names the kind, and every new name is a row for ever.
        if kind not in self._kinds and len(self._kinds) < _MOST_KINDS:
            self._kinds.add(kind)
        self._received.labels(source, kind[:60] if kind in self._kinds else "other", "yes" if fresh else "repeat").inc()

    def limited(self, what: str) -> None:
        self._limited.labels(what).inc()

    def refused(self, source: str, reason: str = "unproven") -> None:
        self._refused.labels(source, reason if reason in _REASONS else "other").inc()

    def channel_call(self, channel: str, operation: str, outcome: str, seconds: float) -> None:
        self._channel_calls.labels(channel, operation, outcome).observe(seconds)

    def feishu_call(self, operation: str, outcome: str, seconds: float) -> None:
        self._feishu_calls.labels(operation, outcome).observe(seconds)

    def job(self, name: str, outcome: str, seconds: float) -> None:
        self._jobs.labels(name, outcome).observe(seconds)

    def measured(self, read: Callable[[], Iterable[Reading]]) -> None:
        """Take these into the page: read when somebody asks, and not more often than every ten seconds."""
        self.registry.register(Measured(read))

    def page(self) -> bytes:
        return generate_latest(self.registry)
