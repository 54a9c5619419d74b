"""Numbers for Prometheus, in a registry of our own so that two bots can live in one process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._received = Counter(
            "mpops_received", "Events that came in", ["source", "kind", "fresh"], registry=self.registry
        )
        self._refused = Counter("mpops_refused", "Requests that proved nothing", ["source"], registry=self.registry)
        self._gauges: dict[str, Gauge] = {}

    def received(self, source: str, kind: str, fresh: bool) -> None:
        self._received.labels(source, kind[:60], "yes" if fresh else "repeat").inc()

    def refused(self, source: str) -> None:
        self._refused.labels(source).inc()

    def gauge(self, name: str, help: str, value: float) -> None:
        if name not in self._gauges:
            self._gauges[name] = Gauge(f"mpops_{name}", help, registry=self.registry)
        self._gauges[name].set(value)

    def page(self) -> bytes:
        return generate_latest(self.registry)
