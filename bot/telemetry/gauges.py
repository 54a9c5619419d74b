"""Numbers that are read from somewhere when they are asked for: rarely, in bounded time, and never in the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

log = structlog.get_logger("metrics")

_FRESH = 10.0  # seconds for which what was read is told again
_PATIENCE = 2.0  # seconds that a page waits; what takes longer stands on the next one


@dataclass(frozen=True, slots=True)
class Reading:
    """One number, or one for each value of a label. `name` is without the prefix `mpops_`."""

    name: str
    help: str
    values: tuple[tuple[str, float], ...]  # (value of the label, number)
    label: str = ""


def one(name: str, help: str, value: float) -> Reading:
    return Reading(name, help, (("", value),))


class Measured(Collector):
    """What `read` gives. While it fails nothing of it is told, and `mpops_database_up` is 0. Thread-safe."""

    def __init__(self, read: Callable[[], Iterable[Reading]], fresh: float = _FRESH, patience: float = _PATIENCE):
        self._read, self._fresh, self._patience = read, fresh, patience
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._begun = float("-inf")
        self._readings: tuple[Reading, ...] = ()
        self._up = False

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        self._freshen()
        yield GaugeMetricFamily("mpops_database_up", "Whether the database could be read", value=float(self._up))
        for reading in self._readings:
            family = GaugeMetricFamily(
                f"mpops_{reading.name}", reading.help, labels=[reading.label] if reading.label else []
            )
            for value, number in reading.values:
                family.add_metric([value] if reading.label else [], number)
            yield family

    def _freshen(self) -> None:
        with self._lock:
            if self._thread is None and time.monotonic() - self._begun >= self._fresh:
                self._begun = time.monotonic()
                self._thread = threading.Thread(target=self._measure, name="metrics", daemon=True)
                self._thread.start()
            thread = self._thread
        if thread is not None:
            thread.join(self._patience)
            if thread.is_alive():
                self._readings, self._up = (), False  # a database that does not answer is told as one

    def _measure(self) -> None:
        found: tuple[Reading, ...] = ()
        well = False
        try:
            found, well = tuple(self._read()), True
        except Exception as error:  # whatever it is, the other numbers must still be told
            log.warning("metrics.not_read", error=type(error).__name__)
        with self._lock:
            self._readings, self._up, self._thread = found, well, None
