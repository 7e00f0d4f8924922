"""Pushes at the same time share a transaction, and each gets its own answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from router.errors import LedgerUnavailable
from router.flows.gathering import MOST, Gathering
from router.message import Acceptance, Batch, Envelope
from tests.hub import SOURCE, Hub


class Door:
    """The intake behind a door that the test opens; notes how many came in at once."""

    def __init__(self, hub: Hub) -> None:
        self._intake = hub.intake
        self.came = threading.Semaphore(0)
        self.opened = threading.Event()
        self.sizes: list[int] = []
        self.fails = False

    def __call__(self, batch: Batch) -> Acceptance:
        self.sizes.append(len(batch.envelopes))
        self.came.release()
        assert self.opened.wait(10)
        if self.fails:
            raise LedgerUnavailable("the database is away")
        return self._intake.accept(batch)


def pushed(*envelopes: Envelope) -> Batch:
    return Batch(source=SOURCE, envelopes=envelopes)


def all_waiting(gathering: Gathering, wanted: int) -> None:
    while len(gathering._waiting[SOURCE]) < wanted:
        threading.Event().wait(0.005)


def test_whoever_comes_during_a_commit_is_in_the_next_one_together(hub: Hub) -> None:
    door = Door(hub)
    gathering = Gathering(door)
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(gathering, pushed(hub.item("a-0")))
        assert door.came.acquire(timeout=10)
        others = [pool.submit(gathering, pushed(hub.item(f"a-{n}"))) for n in range(1, 11)]
        all_waiting(gathering, 10)
        door.opened.set()
        answers = [first.result(10), *(other.result(10) for other in others)]
    assert door.sizes == [1, 10]
    assert [answer.items[0].source_id for answer in answers] == [f"a-{n}" for n in range(11)]
    assert all(len(answer.items) == 1 and answer.items[0].outcome == "new" for answer in answers)


def test_one_that_the_mapping_refuses_takes_no_neighbour_along(hub: Hub) -> None:
    door = Door(hub)
    gathering = Gathering(door)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(gathering, pushed(hub.item("b-0")))
        assert door.came.acquire(timeout=10)
        bad = Envelope(source=SOURCE, source_id="b-1", body=b"not JSON", received_at=hub.clock())
        others = [pool.submit(gathering, pushed(e)) for e in (bad, hub.item("b-2"))]
        all_waiting(gathering, 2)
        door.opened.set()
        outcomes = {
            a.items[0].source_id: a.items[0].outcome for a in (f.result(10) for f in (first, *others))
        }
    assert outcomes == {"b-0": "new", "b-1": "failed", "b-2": "new"}


def test_when_the_ledger_is_away_everybody_in_it_learns_so_and_the_next_push_goes_on(hub: Hub) -> None:
    door = Door(hub)
    door.fails = True
    gathering = Gathering(door)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(gathering, pushed(hub.item(f"c-{n}"))) for n in range(3)]
        assert door.came.acquire(timeout=10)
        all_waiting(gathering, 2)
        door.opened.set()
        for one in asked:
            with pytest.raises(LedgerUnavailable):
                one.result(10)
    door.fails = False
    assert gathering(pushed(hub.item("c-0"))).items[0].outcome == "new"


def test_the_same_item_pushed_twice_at_once_is_one_appeal(hub: Hub) -> None:
    door = Door(hub)
    gathering = Gathering(door)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(gathering, pushed(hub.item("d-0")))
        assert door.came.acquire(timeout=10)
        twins = [pool.submit(gathering, pushed(hub.item("d-1"))) for _ in range(2)]
        all_waiting(gathering, 2)
        door.opened.set()
        found = [one.result(10).items[0] for one in (first, *twins)]
    assert found[1].appeal_id == found[2].appeal_id != found[0].appeal_id
    assert sorted(item.outcome for item in found) == ["duplicate", "new", "new"]


def test_no_transaction_grows_beyond_a_page(hub: Hub) -> None:
    door = Door(hub)
    gathering = Gathering(door)
    half = [pushed(*(hub.item(f"e-{part}-{n}") for n in range(MOST // 2 + 1))) for part in range(2)]
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(gathering, pushed(hub.item("e-0")))
        assert door.came.acquire(timeout=10)
        others = [pool.submit(gathering, batch) for batch in half]
        all_waiting(gathering, 2)
        door.opened.set()
        assert all(one.result(20).items for one in (first, *others))
    assert door.sizes == [1, MOST // 2 + 1, MOST // 2 + 1]


def test_a_page_with_a_cursor_is_never_mixed_with_others(hub: Hub) -> None:
    gathering = Gathering(hub.intake.accept)
    page = Batch(source=SOURCE, envelopes=(hub.item("f-0"),), cursor={"at": "1"})
    assert gathering(page).items[0].outcome == "new"
    assert hub.store.cursor(SOURCE) == {"at": "1"}
