"""Turns the router's events into counts. The router itself never counts."""

from __future__ import annotations

import collections
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from monitoring.metrics import METRICS, OTHER, Metric, Vocabulary
from router.events import (
    AttemptFailed,
    BatchRecorded,
    DeadLettered,
    DeliveriesPublished,
    DeliveryAccepted,
    DeliveryParked,
    Event,
    FeedSilent,
    RequestRefused,
    RoundFailed,
    RoundFinished,
    Trouble,
)

# The "_created" twin of every counter says nothing that Prometheus uses, and doubles the page.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs has no annotation

_KINDS: dict[str, type[Counter] | type[Gauge]] = {"counter": Counter, "gauge": Gauge}
_ZEROED = {("source",), ("destination",), ("source", "outcome"), ("source", "result"), ("flow",)}
"""Label sets small enough to stand at zero from the start, so that a first event shows as a rise."""


class Counts:
    """The counted metrics of one process. An observer; quick, thread-safe, never raises."""

    def __init__(self, registry: CollectorRegistry, vocabulary: Vocabulary) -> None:
        self._closed = vocabulary.closed()
        self._labels = {metric.name: metric.labels for metric in METRICS}
        self._series: dict[str, Any] = {m.name: _make(m, registry) for m in METRICS if not m.measured}
        self._known: dict[tuple[str, ...], Any] = {}
        for metric in METRICS:
            if not metric.measured and metric.labels in _ZEROED:
                for values in product(*(sorted(self._closed[label]) for label in metric.labels)):
                    self._of(metric.name, *values)

    def __call__(self, event: Event) -> None:
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def _of(self, name: str, *values: str) -> Any:
        """The series with these label values, foreign ones folded into `other`.

        Kept by what was asked for only while that is a known value: a flood of foreign values
        must not fill the memory through this either.
        """
        key = (name, *values)
        if (found := self._known.get(key)) is not None:
            return found
        closed = tuple(
            value if value in self._closed[label] else OTHER
            for label, value in zip(self._labels[name], values, strict=True)
        )
        series = self._series[name].labels(*closed)
        if closed == values:
            self._known[key] = series
        return series

    def _batch(self, event: BatchRecorded) -> None:
        count, items, source = collections.Counter, event.items, event.source
        for outcome, times in count(item.outcome for item in items).items():
            self._of("suqiu_envelopes_total", source, outcome).inc(times)
        routed = count((item.rule or OTHER, to) for item in items for to in item.destinations)
        for (rule, destination), times in routed.items():
            self._of("suqiu_routed_total", rule, destination).inc(times)
        for table, times in count(table for item in items for _field, table in item.unknown_codes).items():
            self._of("suqiu_unknown_codes_total", source, table).inc(times)

    def _refused(self, event: RequestRefused) -> None:
        self._of("suqiu_requests_refused_total", event.source, event.reason).inc()

    def _finished(self, event: RoundFinished) -> None:
        self._of("suqiu_polling_rounds_total", event.source, "finished").inc()
        self._of("suqiu_polling_round_seconds", event.source).observe(event.took.total_seconds())
        self._of("suqiu_source_last_good_poll_timestamp_seconds", event.source).set(event.at.timestamp())
        self._of("suqiu_source_paused", event.source).set(0)

    def _failed(self, event: RoundFailed) -> None:
        result = "paused" if event.paused else "failed"
        self._of("suqiu_polling_rounds_total", event.source, result).inc()
        self._of("suqiu_source_paused", event.source).set(int(event.paused))

    def _silent(self, event: FeedSilent) -> None:
        self._of("suqiu_feed_silent_total", event.source).inc()

    def _published(self, event: DeliveriesPublished) -> None:
        took: dict[str, list[timedelta]] = {}
        for destination, _, one in event.items:
            took.setdefault(destination, []).append(one)
        for destination, several in took.items():
            self._of("suqiu_published_total", destination).inc(len(several))
            observe = self._of("suqiu_publish_confirm_seconds", destination).observe
            for one in several:
                observe(one.total_seconds())

    def _accepted(self, event: DeliveryAccepted) -> None:
        self._of("suqiu_accepted_total", event.destination).inc()

    def _attempt(self, event: AttemptFailed) -> None:
        self._of("suqiu_attempts_failed_total", event.destination, event.reason).inc()

    def _parked(self, event: DeliveryParked) -> None:
        self._of("suqiu_parked_total", event.destination).inc()

    def _dead(self, event: DeadLettered) -> None:
        self._of("suqiu_dead_letters_total", event.stage, event.reason).inc()

    def _trouble(self, event: Trouble) -> None:
        self._of("suqiu_flow_troubles_total", event.flow).inc()


_HANDLERS: dict[type[Event], Callable[[Counts, Any], None]] = {
    BatchRecorded: Counts._batch,
    RequestRefused: Counts._refused,
    RoundFinished: Counts._finished,
    RoundFailed: Counts._failed,
    FeedSilent: Counts._silent,
    DeliveriesPublished: Counts._published,
    DeliveryAccepted: Counts._accepted,
    AttemptFailed: Counts._attempt,
    DeliveryParked: Counts._parked,
    DeadLettered: Counts._dead,
    Trouble: Counts._trouble,
}


def _make(metric: Metric, registry: CollectorRegistry) -> Any:
    if metric.kind == "histogram":
        return Histogram(metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=registry)
    return _KINDS[metric.kind](metric.name, metric.help, metric.labels, registry=registry)
