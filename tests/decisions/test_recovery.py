"""Again, or the dead letter pile; and when a destination is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.decisions.breaker import FIRST_REST, LONGEST_REST, TRIPS_AFTER, Breaker
from router.decisions.recovery import LONGEST_ASKED, SHORTEST, DeadLetter, Retry, RetryPolicy, decide
from router.errors import (
    DestinationUnavailable,
    MalformedEnvelope,
    MappingFailed,
    RejectedByReceiver,
    SourceUnavailable,
    Throttled,
    Unroutable,
)
from router.reasons import Reason

POLICY = RetryPolicy(first=timedelta(seconds=4), longest=timedelta(minutes=1), attempts=5)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize(
    ("error", "attempt", "decision"),
    [
        pytest.param(
            Unroutable("no rule"), 1, DeadLetter(Reason.UNROUTABLE, "no rule"),
            id="no second try for a hopeless message",
        ),
        pytest.param(
            MappingFailed("sst.yaml:7: title"), 1, DeadLetter(Reason.MAPPING_FAILED, "sst.yaml:7: title"),
            id="nor for a field that is missing",
        ),
        pytest.param(
            MalformedEnvelope("not JSON"), 1, DeadLetter(Reason.MALFORMED, "not JSON"),
            id="nor for what cannot be read",
        ),
        pytest.param(
            RejectedByReceiver("no such form"), 1, DeadLetter(Reason.REJECTED, "no such form"),
            id="nor when the receiver said no",
        ),
        pytest.param(
            DestinationUnavailable("away"), 1, Retry(seconds(2), Reason.UNAVAILABLE), id="the first pause",
        ),
        pytest.param(
            DestinationUnavailable("away"), 3, Retry(seconds(8), Reason.UNAVAILABLE), id="the pause doubles",
        ),
        pytest.param(
            DestinationUnavailable("away"), 5, DeadLetter(Reason.GAVE_UP, "gave up after 5 attempts: away"),
            id="patience ends",
        ),
        pytest.param(
            Throttled("slowly", retry_after=seconds(50)), 1, Retry(seconds(50), Reason.THROTTLED),
            id="who asks for time gets it",
        ),
        pytest.param(
            Throttled("slowly", retry_after=seconds(0)), 1, Retry(seconds(2), Reason.THROTTLED),
            id="but not less than our own pause",
        ),
        pytest.param(
            Throttled("slowly", retry_after=timedelta(days=30)), 1, Retry(LONGEST_ASKED, Reason.THROTTLED),
            id="nor as much as to bury the message",
        ),
        pytest.param(
            SourceUnavailable("busy", retry_after=seconds(-9)), 1, Retry(seconds(2), Reason.UNAVAILABLE),
            id="nor a time in the past",
        ),
        pytest.param(
            KeyError("王先生"), 1, Retry(seconds(2), Reason.UNEXPECTED), id="the unknown is tried again",
        ),
        pytest.param(
            KeyError("王先生"), 5, DeadLetter(Reason.GAVE_UP, "gave up after 5 attempts: KeyError"),
            id="within the limit, and P8: what a strange error says is not repeated",
        ),
        pytest.param(
            RejectedByReceiver(""), 1, DeadLetter(Reason.REJECTED, "RejectedByReceiver"),
            id="an error without a sentence is told by its name",
        ),
    ],
)  # fmt: skip
def test_decide(error: Exception, attempt: int, decision: Retry | DeadLetter) -> None:
    assert decide(error, attempt, POLICY, chance=0.5) == decision


CHANCE = st.floats(0, 1, exclude_max=True)


@given(st.integers(-3, 10**9), CHANCE, st.sampled_from([1.0, 1.1, 2.0, 10.0]))
def test_p9_a_pause_is_never_nothing_and_never_longer_than_the_longest(
    attempt: int, chance: float, factor: float
) -> None:
    policy = RetryPolicy(seconds(4), seconds(60), 10, factor)
    assert SHORTEST <= policy.pause(attempt, chance) <= seconds(60)


def test_the_whole_pause_is_left_to_chance() -> None:
    assert POLICY.pause(2, 0.0) == SHORTEST
    assert POLICY.pause(2, 0.25) == seconds(2)
    assert POLICY.pause(2, 0.999) < seconds(8)


def test_pauses_grow_by_the_factor_until_the_longest() -> None:
    policy = RetryPolicy(seconds(4), seconds(60), 10, 3.0)
    assert [policy.pause(attempt, 0.5).total_seconds() * 2 for attempt in (1, 2, 3, 4)] == [4, 12, 36, 60]


def failing(times: int, breaker: Breaker | None = None) -> Breaker:
    breaker = breaker or Breaker()
    for _ in range(times):
        breaker = breaker.failed(NOW)
    return breaker


def test_a_few_failures_leave_the_breaker_closed() -> None:
    breaker = failing(TRIPS_AFTER - 1)
    assert (breaker.state(NOW), breaker.allows(NOW)) == ("closed", None)


def test_failures_in_a_row_open_it() -> None:
    breaker = failing(TRIPS_AFTER)
    assert (breaker.state(NOW), breaker.allows(NOW)) == ("open", 0)


def test_a_success_in_between_begins_the_count_anew() -> None:
    breaker = failing(TRIPS_AFTER - 1, failing(TRIPS_AFTER - 1).succeeded())
    assert breaker.state(NOW) == "closed"


def test_after_its_rest_one_message_may_try() -> None:
    breaker, later = failing(TRIPS_AFTER), NOW + FIRST_REST
    assert breaker.state(later - timedelta(microseconds=1)) == "open"
    assert (breaker.state(later), breaker.allows(later)) == ("half_open", 1)
    assert breaker.succeeded() == Breaker()


def test_a_probe_that_fails_rests_it_longer_up_to_a_limit() -> None:
    breaker, now, rests = failing(TRIPS_AFTER), NOW, []
    for _ in range(8):
        assert breaker.rests_until is not None
        now = breaker.rests_until
        breaker = breaker.failed(now)
        assert breaker.rests_until is not None
        rests.append(breaker.rests_until - now)
    assert rests[0] == FIRST_REST * 2
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST
