"""The metrics: what they count, and that neither mistakes nor attackers can make series without end."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from monitoring.counting import Counts
from monitoring.measures import LedgerCollector, Measures, watch_ledger
from monitoring.metrics import METRICS, OTHER, Vocabulary
from router import events
from router.reasons import Reason, Refusal, Stage
from tests.monitoring.events import AT, EVERY_KIND, envelope, published

VOCABULARY = Vocabulary(
    sources=frozenset({"sst", "crm"}),
    destinations=frozenset({"rsj", "gaj"}),
    rules=frozenset({"wages"}),
    tables=frozenset({"kinds"}),
)
MEASURES = Measures(
    deliveries={("rsj", "pending"): 4, ("gone", "pending"): 2, ("gone too", "pending"): 1},
    oldest_pending={"rsj": timedelta(minutes=2)},
    dead_letters={("map", "mapping_failed"): 7},
    cursors={"sst": AT},
)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def counts(registry: CollectorRegistry) -> Counts:
    return Counts(registry, VOCABULARY)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def test_every_event_kind_is_counted(registry: CollectorRegistry) -> None:
    for event in EVERY_KIND:
        registry = CollectorRegistry()
        counts = Counts(registry, VOCABULARY)
        before = generate_latest(registry)
        counts(event)
        assert generate_latest(registry) != before, type(event).__name__


def test_no_event_kind_of_the_router_is_missing_in_this_test() -> None:
    kinds = {kind for kind in vars(events).values() if isinstance(kind, type)}
    assert {type(event) for event in EVERY_KIND} == {
        kind for kind in kinds if issubclass(kind, events.Event) and kind is not events.Event
    }


def test_outcomes_routes_and_unknown_codes_come_from_one_envelope(
    registry: CollectorRegistry, counts: Counts
) -> None:
    counts(envelope("revision"))
    assert value(registry, "suqiu_envelopes_total", source="sst", outcome="revision") == 1
    assert value(registry, "suqiu_envelopes_total", source="sst", outcome="duplicate") == 0
    assert value(registry, "suqiu_routed_total", rule="wages", destination="gaj") == 1
    assert value(registry, "suqiu_unknown_codes_total", source="sst", table="kinds") == 1


def test_each_of_the_messages_that_were_published_together_counts(
    registry: CollectorRegistry, counts: Counts
) -> None:
    counts(published("rsj", "gaj", "rsj"))
    assert value(registry, "suqiu_published_total", destination="rsj") == 2
    assert value(registry, "suqiu_published_total", destination="gaj") == 1
    assert value(registry, "suqiu_publish_confirm_seconds_count", destination="rsj") == 2
    assert value(registry, "suqiu_publish_confirm_seconds_sum", destination="rsj") == pytest.approx(0.008)


def test_a_paused_source_shows_until_its_next_good_round(registry: CollectorRegistry, counts: Counts) -> None:
    counts(events.RoundFailed(AT, "sst", "401", timedelta(hours=1), paused=True))
    assert value(registry, "suqiu_source_paused", source="sst") == 1
    counts(events.RoundFinished(AT, "sst", 0, timedelta(seconds=1)))
    assert value(registry, "suqiu_source_paused", source="sst") == 0
    name = "suqiu_source_last_good_poll_timestamp_seconds"
    assert value(registry, name, source="sst") == AT.timestamp()


def test_values_outside_the_closed_sets_become_other(registry: CollectorRegistry, counts: Counts) -> None:
    for number in range(50):
        counts(events.DeliveryAccepted(AT, f"stranger-{number}", "x"))
        counts(events.RequestRefused(AT, f"/path/{number}", Refusal.BAD_SIGNATURE))
        counts(envelope(source=f"s{number}", rule=f"r{number}", unknown_codes=(("kind", f"t{number}"),)))
        counts(events.Trouble(AT, f"flow-{number}", "x"))
    page = generate_latest(registry).decode()
    assert "stranger" not in page
    assert "/path" not in page
    assert "flow-" not in page
    assert value(registry, "suqiu_accepted_total", destination=OTHER) == 50
    assert value(registry, "suqiu_routed_total", rule=OTHER, destination="rsj") == 50


def test_a_flood_of_foreign_values_keeps_no_memory(counts: Counts) -> None:
    before = len(counts._known)
    for number in range(1000):
        counts(events.DeliveryAccepted(AT, f"stranger-{number}", "x"))
    assert len(counts._known) == before


def test_the_reasons_and_stages_of_the_router_are_all_known_labels(
    registry: CollectorRegistry, counts: Counts
) -> None:
    for stage in Stage:
        for reason in Reason:
            counts(events.DeadLettered(AT, stage, reason, None, None))
    assert f'stage="{OTHER}"' not in generate_latest(registry).decode()
    assert f'reason="{OTHER}"' not in generate_latest(registry).decode()


def test_the_ledger_is_measured_and_foreign_destinations_are_summed(registry: CollectorRegistry) -> None:
    watch_ledger(registry, lambda: MEASURES, VOCABULARY)
    assert value(registry, "suqiu_deliveries", destination="rsj", state="pending") == 4
    assert value(registry, "suqiu_deliveries", destination=OTHER, state="pending") == 3
    assert value(registry, "suqiu_oldest_pending_age_seconds", destination="rsj") == 120
    assert value(registry, "suqiu_oldest_pending_age_seconds", destination="gaj") == 0
    assert value(registry, "suqiu_dead_letters_unresolved", stage="map", reason="mapping_failed") == 7
    assert value(registry, "suqiu_source_cursor_moved_timestamp_seconds", source="sst") == AT.timestamp()
    assert value(registry, "suqiu_ledger_up") == 1


def test_a_ledger_that_is_away_does_not_take_the_page_along(
    registry: CollectorRegistry, counts: Counts
) -> None:
    def broken() -> Measures:
        raise ConnectionError("王小明 13812345678")

    watch_ledger(registry, broken, VOCABULARY)
    counts(events.DeliveryAccepted(AT, "rsj", "x"))
    page = generate_latest(registry).decode()
    assert "suqiu_ledger_up 0.0" in page
    assert 'suqiu_accepted_total{destination="rsj"} 1.0' in page
    assert "suqiu_deliveries{" not in page
    assert "13812345678" not in page


def test_the_ledger_is_asked_once_however_many_scrape() -> None:
    asked: list[int] = []

    def measure() -> Measures:
        asked.append(1)
        return MEASURES

    collector = LedgerCollector(measure, VOCABULARY)
    for _ in range(5):
        list(collector.collect())
    assert len(asked) == 1
    impatient = LedgerCollector(measure, VOCABULARY, max_age=timedelta(0))
    list(impatient.collect())
    list(impatient.collect())
    assert len(asked) == 3


def test_registering_does_not_ask_the_ledger(registry: CollectorRegistry) -> None:
    asked: list[int] = []
    watch_ledger(registry, lambda: asked.append(1) or MEASURES, VOCABULARY)
    assert asked == []


def test_the_page_shows_the_list_and_nothing_else(registry: CollectorRegistry, counts: Counts) -> None:
    watch_ledger(registry, lambda: MEASURES, VOCABULARY)
    for event in EVERY_KIND:
        counts(event)
    page = generate_latest(registry).decode()
    shown = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}
    assert shown == {metric.name for metric in METRICS}


def test_promtool_finds_nothing_to_say(registry: CollectorRegistry, counts: Counts) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package: prometheus)")
    watch_ledger(registry, lambda: MEASURES, VOCABULARY)
    for event in EVERY_KIND:
        counts(event)
    told = subprocess.run(
        [promtool, "check", "metrics"], input=generate_latest(registry), capture_output=True, check=False
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")


def test_the_registry_of_the_process_at_large_is_left_alone(counts: Counts) -> None:
    from prometheus_client import REGISTRY

    assert "suqiu_" not in generate_latest(REGISTRY).decode()
