"""Gauges that are read from the ledger when Prometheus asks, not counted along the way."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from monitoring.metrics import METRICS, OTHER, Vocabulary

MAX_AGE = timedelta(seconds=5)
"""Two Prometheus servers and a curious person together cost the ledger one look in this time."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What the ledger looks like at one moment."""

    deliveries: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(destination, state) → how many."""
    oldest_pending: Mapping[str, timedelta] = field(default_factory=dict)
    """Destination → age of its oldest delivery that is not handed over."""
    dead_letters: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(stage, reason) → how many wait for a person."""
    cursors: Mapping[str, datetime] = field(default_factory=dict)
    """Source → when its cursor last moved."""


Measure = Callable[[], Measures]


class LedgerCollector(Collector):
    """
    Asks `measure` at most once in `max_age`, whoever scrapes.

    A ledger that cannot be asked makes `suqiu_ledger_up 0` and no stale numbers; the rest of the
    page is not lost with it.
    """

    def __init__(self, measure: Measure, vocabulary: Vocabulary, *, max_age: timedelta = MAX_AGE) -> None:
        self._measure = measure
        self._closed = vocabulary.closed()
        self._max_age = max_age.total_seconds()
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._last: Measures | None = None

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Names only: registering must not ask the ledger."""
        return list(_families().values())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        measures = self._ask()
        families = _families()
        families["suqiu_ledger_up"].add_metric((), float(measures is not None))
        for name, values in self._read(measures).items() if measures else ():
            for labels, value in values.items():
                families[name].add_metric(labels, value)
        yield from families.values()

    def _ask(self) -> Measures | None:
        with self._lock:
            if time.monotonic() - self._asked_at >= self._max_age:
                try:
                    self._last = self._measure()
                except Exception:  # the edge of this flow: readiness tells why, the page goes on
                    self._last = None
                self._asked_at = time.monotonic()
            return self._last

    def _read(self, measures: Measures) -> dict[str, dict[tuple[str, ...], float]]:
        oldest: dict[tuple[str, ...], float] = dict.fromkeys(((d,) for d in self._closed["destination"]), 0.0)
        for destination, age in measures.oldest_pending.items():
            key = (self._close("destination", destination),)
            oldest[key] = max(oldest.get(key, 0.0), age.total_seconds())
        return {
            "suqiu_deliveries": self._sum(("destination", "state"), measures.deliveries),
            "suqiu_oldest_pending_age_seconds": oldest,
            "suqiu_dead_letters_unresolved": self._sum(("stage", "reason"), measures.dead_letters),
            "suqiu_source_cursor_moved_timestamp_seconds": {
                (source,): moved.timestamp()
                for source, moved in measures.cursors.items()
                if source in self._closed["source"]
            },
        }

    def _sum(
        self, labels: tuple[str, str], counts: Mapping[tuple[str, str], int]
    ) -> dict[tuple[str, ...], float]:
        summed: Counter[tuple[str, ...]] = Counter()
        for values, count in counts.items():
            summed[tuple(map(self._close, labels, values))] += count
        return {key: float(count) for key, count in summed.items()}

    def _close(self, label: str, value: str) -> str:
        return value if value in self._closed[label] else OTHER


def watch_ledger(registry: CollectorRegistry, measure: Measure, vocabulary: Vocabulary) -> None:
    """Let the registry ask the ledger."""
    registry.register(LedgerCollector(measure, vocabulary))


def _families() -> dict[str, GaugeMetricFamily]:
    return {
        metric.name: GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
        for metric in METRICS
        if metric.measured
    }
