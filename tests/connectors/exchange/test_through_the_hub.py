"""A table exchange, the polling flow and a real ledger together: nothing lost (P1), nothing twice (P2)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.table_exchange import TableSource
from router.events import BatchRecorded, RoundFailed
from router.flows.polling import Polling, PollingTools
from router.message import Acceptance, Batch
from tests.connectors.exchange.tables import MOMENT, WATERMARK, Exchange
from tests.hub import Hub

ROUND = timedelta(seconds=1)


class EverybodysLease:
    def take(self, name: str, now: object, hold: object) -> bool:
        return True

    def give_back(self, name: str, now: object) -> None: ...


class Desk:
    """Polls one exchange table into one hub."""

    def __init__(self, exchange: Exchange, hub: Hub) -> None:
        self.exchange = exchange
        self.hub = hub
        self.dies_after_commit = False
        exchange.do(
            "create table appeals (id varchar(20) primary key, text varchar(200), "
            f"updated {MOMENT[exchange.dialect]}, take_state varchar(4))"
        )

    def put(self, *numbers: int, minute: int = 0) -> None:
        for number in numbers:
            self.exchange.do(
                "insert into appeals values (:id, '社保缴费基数如何调整', :at, '0')",
                id=f"A{number:04}",
                at=f"2026-03-01 08:{minute or number:02}:00",
            )

    def accept(self, batch: Batch) -> Acceptance:
        acceptance = self.hub.intake.accept(batch)
        if self.dies_after_commit:
            raise RuntimeError("killed")
        return acceptance

    def round(self, source: TableSource) -> dict[str, int]:
        """Outcomes and how many; the events of this round only."""
        self.hub.events.clear()
        tools = PollingTools(
            lambda batch: lambda: self.accept(batch),
            self.hub.store.cursor,
            EverybodysLease(),
            self.hub.clock,
            self.hub.events.append,
        )
        polling = Polling(source, ROUND, tools)
        if self.dies_after_commit:
            with pytest.raises(RuntimeError):
                polling.round(threading.Event())
        else:
            polling.round(threading.Event())
        assert not [event for event in self.hub.events if isinstance(event, RoundFailed)]
        batches = (event for event in self.hub.events if isinstance(event, BatchRecorded))
        return Counter(item.outcome for batch in batches for item in batch.items)


@pytest.fixture
def desk(exchange: Exchange, tmp_path: Path) -> Iterator[Desk]:
    hub = Hub(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)
    yield Desk(exchange, hub)
    hub.close()


def test_a_death_between_commit_and_mark_has_one_effect(desk: Desk) -> None:
    desk.put(1, 2)
    source = desk.exchange.source()
    desk.dies_after_commit = True
    assert desk.round(source) == {"new": 2}
    assert set(desk.exchange.states().values()) == {"0"}
    desk.dies_after_commit = False
    assert desk.round(desk.exchange.source()) == {"duplicate": 2}
    assert set(desk.exchange.states().values()) == {"1"}
    assert len(desk.hub.deliveries("A0001")) == 1
    assert desk.round(source) == {}


def test_a_row_that_is_set_back_to_pending_is_a_revision_where_it_has_changed(desk: Desk) -> None:
    desk.put(1, 2)
    source = desk.exchange.source()
    desk.round(source)
    desk.exchange.do("update appeals set take_state = '0'")
    desk.exchange.do(
        "update appeals set text = '补充材料', updated = '2026-03-01 09:00:00' where id = 'A0002'"
    )
    assert desk.round(source) == {"duplicate": 1, "revision": 1}


def test_the_overlap_comes_again_as_duplicates_and_late_rows_as_new(desk: Desk) -> None:
    desk.put(1, 2, 59)
    source = desk.exchange.source(page=2, watermark=WATERMARK)
    assert desk.round(source) == {"new": 3}
    desk.put(7, minute=51)
    assert desk.round(source) == {"new": 1, "duplicate": 1}
    assert desk.round(source) == {"duplicate": 2}


def test_what_could_not_be_understood_is_a_dead_letter_and_marked_as_failed(desk: Desk) -> None:
    desk.put(1, 2)
    desk.hub.translator.required = "nothing"
    status = {"column": "take_state", "pending": "0", "taken": "1", "failed": "9"}
    assert desk.round(desk.exchange.source(status=status)) == {"failed": 2}
    assert set(desk.exchange.states().values()) == {"9"}
    assert len(desk.hub.dead("A0001")) == 1
