"""
Every metric of the hub, declared once: name, kind, labels, and a sentence.

Label values come from closed sets. Sources, destinations, rules and code tables are the configured
ones (`Vocabulary`); whatever else turns up is counted as `other`, so that neither a mistake nor an
attacker can make series without end. Ids and texts are never labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from router.message import Outcome
from router.reasons import Reason, Refusal, Stage

OTHER = "other"
"""The label of everything outside its closed set."""

CONFIRM_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROUND_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

STATES = ("pending", "published", "retry_wait", "accepted", "rejected", "dead", "parked", "cancelled")
FLOWS = (
    "front",
    "intake",
    "relay",
    "worker",
    "feedback",
    "broker_returns",
    "replay",
    "clock",
    "reconcile",
    "console",
)
ROUND_RESULTS = ("finished", "failed", "paused")


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the list. `measured` ones are read from the ledger at scrape time, not counted."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()
    measured: bool = False


METRICS = (
    Metric(
        "suqiu_envelopes_total",
        "counter",
        ("source", "outcome"),
        "Envelopes recorded, by what became of them: new, duplicate, revision, failed and so on.",
    ),
    Metric(
        "suqiu_requests_refused_total",
        "counter",
        ("source", "reason"),
        "Requests that the front refused; nothing of them was kept.",
    ),
    Metric(
        "suqiu_routed_total",
        "counter",
        ("rule", "destination"),
        "Tasks given out, by the rule that decided and the destination it chose.",
    ),
    Metric(
        "suqiu_unknown_codes_total",
        "counter",
        ("source", "table"),
        "Codes of a source that its code table does not know; the field took its default.",
    ),
    Metric(
        "suqiu_published_total",
        "counter",
        ("destination",),
        "Deliveries that the broker confirmed.",
    ),
    Metric(
        "suqiu_publish_confirm_seconds",
        "histogram",
        ("destination",),
        "Time from handing a message to the broker's client until its own confirm.",
        buckets=CONFIRM_BUCKETS,
    ),
    Metric(
        "suqiu_accepted_total",
        "counter",
        ("destination",),
        "Deliveries that the receiver said it has.",
    ),
    Metric(
        "suqiu_attempts_failed_total",
        "counter",
        ("destination", "reason"),
        "Attempts at a delivery that went wrong.",
    ),
    Metric(
        "suqiu_parked_total",
        "counter",
        ("destination",),
        "Deliveries parked because no queue was bound for their destination.",
    ),
    Metric(
        "suqiu_dead_letters_total",
        "counter",
        ("stage", "reason"),
        "Dead letters made, by where on its way the item stopped and why.",
    ),
    Metric(
        "suqiu_polling_rounds_total",
        "counter",
        ("source", "result"),
        "Polling rounds, by result; paused means that the source refuses us and ops must act.",
    ),
    Metric(
        "suqiu_polling_round_seconds",
        "histogram",
        ("source",),
        "How long a polling round took that came to its end.",
        buckets=ROUND_BUCKETS,
    ),
    Metric(
        "suqiu_source_last_good_poll_timestamp_seconds",
        "gauge",
        ("source",),
        "When the last polling round without an error ended; 0 while there was none since the start.",
    ),
    Metric(
        "suqiu_source_paused",
        "gauge",
        ("source",),
        "1 while a source is paused because it refuses us.",
    ),
    Metric(
        "suqiu_feed_silent_total",
        "counter",
        ("source",),
        "Windows in which a source that is usually busy handed out nothing.",
    ),
    Metric(
        "suqiu_flow_troubles_total",
        "counter",
        ("flow",),
        "Errors that a flow met at its edge and outlived.",
    ),
    Metric(
        "suqiu_deliveries",
        "gauge",
        ("destination", "state"),
        "Unfinished deliveries in the ledger, by their state now.",
        measured=True,
    ),
    Metric(
        "suqiu_oldest_pending_age_seconds",
        "gauge",
        ("destination",),
        "Age of the oldest delivery that is due and not handed over; 0 when there is none.",
        measured=True,
    ),
    Metric(
        "suqiu_dead_letters_unresolved",
        "gauge",
        ("stage", "reason"),
        "Dead letters that nobody has replayed or discarded yet.",
        measured=True,
    ),
    Metric(
        "suqiu_source_cursor_moved_timestamp_seconds",
        "gauge",
        ("source",),
        "When the cursor of a source last moved.",
        measured=True,
    ),
    Metric(
        "suqiu_ledger_up",
        "gauge",
        (),
        "1 when the ledger could be measured for this scrape, 0 when it could not.",
        measured=True,
    ),
)
"""The whole list. A metric that does not stand here does not exist."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The label values that the configuration allows."""

    sources: frozenset[str] = frozenset()
    destinations: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()

    def closed(self) -> dict[str, frozenset[str]]:
        """The closed set behind every label name."""
        return {
            "source": self.sources,
            "destination": self.destinations,
            "rule": self.rules,
            "table": self.tables,
            "outcome": frozenset(get_args(Outcome)),
            "stage": frozenset(Stage),
            "reason": frozenset(Reason) | frozenset(Refusal),
            "state": frozenset(STATES),
            "flow": frozenset(FLOWS),
            "result": frozenset(ROUND_RESULTS),
        }
