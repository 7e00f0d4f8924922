"""Named leases: what a killed process held."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from router.ledger import migrate
from router.ledger.database import Database
from router.ledger.leases import LeaseStore

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
