"""Named leases: what a killed process held."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from router.events import Event, RoundFinished
from router.flows.polling import SHORTEST_HOLD, Polling, PollingTools
from router.ledger import migrate
from router.ledger.database import Database
from router.ledger.leases import LeaseStore
from router.message import Acceptance, Batch, Cursor

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOLD = timedelta(minutes=2)


@pytest.fixture
def database(ledger_url: str) -> Iterator[Database]:
    database = Database(ledger_url)
    migrate.upgrade(database)
    yield database
    database.close()


def test_nobody_takes_what_another_holds(database: Database) -> None:
    assert LeaseStore(database, "one").take("poll:app", NOW, HOLD)
    assert not LeaseStore(database, "two").take("poll:app", NOW + HOLD / 2, HOLD)


def test_a_process_that_starts_anew_need_not_wait_for_the_one_that_was_killed(database: Database) -> None:
    LeaseStore(database, "killed").take("poll:app", NOW, HOLD)
    started = LeaseStore(database, "started")
    started.forget(NOW)
    assert started.take("poll:app", NOW + timedelta(microseconds=1), HOLD)


class Hours:
    """A source whose every batch takes a while; notes whether anybody else could have had its lease."""

    name = "app"
    goes_ahead = True

    def __init__(self, database: Database, pause: timedelta) -> None:
        self._other = LeaseStore(database, "other")
        self._pause = pause
        self.now = NOW
        self.was_free = False

    def open(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fetch(self, after: Cursor | None) -> Iterator[Batch]:
        for _ in range(40):
            self.now += self._pause
            self.was_free = self.was_free or self._other.take("poll:app", self.now, SHORTEST_HOLD)
            yield Batch(source="app", envelopes=())

    def acknowledge(self, batch: Batch, acceptance: Acceptance) -> None:
        """Keeps no account."""


class Counted(LeaseStore):
    taken = 0

    def take(self, name: str, now: datetime, hold: timedelta) -> bool:
        self.taken += 1
        return super().take(name, now, hold)


@pytest.mark.parametrize(("pause", "most"), [(14, 41), (1, 5)], ids=["slow batches", "quick batches"])
def test_a_long_round_keeps_its_lease_without_renewing_it_at_every_batch(
    database: Database, pause: int, most: int
) -> None:
    source, leases = Hours(database, timedelta(seconds=pause)), Counted(database, "one")
    stop = threading.Event()

    def told(event: Event) -> None:
        assert isinstance(event, RoundFinished), event
        stop.set()

    tools = PollingTools(
        lambda _: lambda: Acceptance(items=()), lambda _: None, leases, lambda: source.now, told
    )
    Polling(source, timedelta(seconds=1), tools).run(stop)
    assert not source.was_free
    assert 1 < leases.taken <= most
