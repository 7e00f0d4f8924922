"""Pushes at the same time share a transaction, and each gets its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

import anyio
import pytest

from connectors.gathering import MOST, Gathering
from router.errors import LedgerUnavailable
from router.message import Acceptance, Batch, Envelope
from tests.hub import SOURCE, Hub


class Door:
    """The intake behind a door that the test opens; notes how many came in at once."""

    def __init__(self, hub: Hub) -> None:
        self._intake = hub.intake
        self.came = threading.Semaphore(0)
        self.let_in = threading.Semaphore(0)
        self.sizes: list[int] = []
        self.fails = False

    def __call__(self, batch: Batch) -> Acceptance:
        self.sizes.append(len(batch.envelopes))
        self.came.release()
        assert self.let_in.acquire(timeout=10)
        if self.fails:
            raise LedgerUnavailable("the database is away")
        return self._intake.accept(batch)


@dataclass
class Pushes:
    """What is pushed while the first push is being committed: `begin`, then `more`, then open the door."""

    hub: Hub
    door: Door
    gathering: Gathering
    loop: asyncio.AbstractEventLoop

    def begin(self, *envelopes: Envelope) -> Future[Acceptance]:
        told = self._pushed(envelopes)
        assert self.door.came.acquire(timeout=10)
        return told

    def more(self, *pushes: tuple[Envelope, ...]) -> list[Future[Acceptance]]:
        """Handed in one after the other; returns when all of them wait."""
        told = []
        for envelopes in pushes:
            told.append(self._pushed(envelopes))
            while len(self.gathering._waiting[SOURCE]) < len(told):
                threading.Event().wait(0.002)
        return told

    def open(self, times: int = 100) -> None:
        self.door.let_in.release(times)

    def _pushed(self, envelopes: tuple[Envelope, ...]) -> Future[Acceptance]:
        pushed = self.gathering(Batch(source=SOURCE, envelopes=envelopes))
        return asyncio.run_coroutine_threadsafe(pushed, self.loop)


@pytest.fixture
def pushes(hub: Hub) -> Iterator[Pushes]:
    door = Door(hub)
    loop = asyncio.new_event_loop()
    running = threading.Thread(target=loop.run_forever)
    running.start()
    yield Pushes(hub, door, Gathering(door, anyio.CapacityLimiter(8)), loop)
    door.let_in.release(100)
    loop.call_soon_threadsafe(loop.stop)
    running.join(10)
    loop.close()


def test_whoever_comes_during_a_commit_is_in_the_next_one_together(pushes: Pushes) -> None:
    item = pushes.hub.item
    first = pushes.begin(item("a-0"))
    others = pushes.more(*((item(f"a-{n}"),) for n in range(1, 11)))
    pushes.open()
    answers = [one.result(10) for one in (first, *others)]
    assert pushes.door.sizes == [1, 10]
    assert [answer.items[0].source_id for answer in answers] == [f"a-{n}" for n in range(11)]
    assert all(len(answer.items) == 1 and answer.items[0].outcome == "new" for answer in answers)


def test_whoever_committed_is_answered_at_once_however_many_come_after(pushes: Pushes) -> None:
    first = pushes.begin(pushes.hub.item("g-0"))
    (second,) = pushes.more((pushes.hub.item("g-1"),))
    pushes.open(1)
    assert first.result(10).items[0].outcome == "new"
    assert pushes.door.came.acquire(timeout=10), "the second commits for itself"
    assert not second.done()
    pushes.open(1)
    assert second.result(10).items[0].outcome == "new"


def test_one_that_the_mapping_refuses_takes_no_neighbour_along(pushes: Pushes) -> None:
    hub = pushes.hub
    bad = Envelope(source=SOURCE, source_id="b-1", body=b"not JSON", received_at=hub.clock())
    first = pushes.begin(hub.item("b-0"))
    others = pushes.more((bad,), (hub.item("b-2"),))
    pushes.open()
    outcomes = {a.items[0].source_id: a.items[0].outcome for a in (f.result(10) for f in (first, *others))}
    assert outcomes == {"b-0": "new", "b-1": "failed", "b-2": "new"}
    assert pushes.door.sizes == [1, 2]


def test_when_the_ledger_is_away_everybody_in_it_learns_so_and_the_next_push_goes_on(pushes: Pushes) -> None:
    pushes.door.fails = True
    item = pushes.hub.item
    asked = [pushes.begin(item("c-0")), *pushes.more((item("c-1"),), (item("c-2"),))]
    pushes.open()
    for one in asked:
        with pytest.raises(LedgerUnavailable):
            one.result(10)
    pushes.door.fails = False
    pushes.open()
    assert pushes.begin(item("c-0")).result(10).items[0].outcome == "new"


def test_the_same_item_pushed_twice_at_once_is_one_appeal(pushes: Pushes) -> None:
    item = pushes.hub.item
    first = pushes.begin(item("d-0"))
    twins = pushes.more((item("d-1"),), (item("d-1"),))
    pushes.open()
    found = [one.result(10).items[0] for one in (first, *twins)]
    assert found[1].appeal_id == found[2].appeal_id != found[0].appeal_id
    assert sorted(item.outcome for item in found) == ["duplicate", "new", "new"]


def test_no_transaction_grows_beyond_a_page(pushes: Pushes) -> None:
    item = pushes.hub.item
    halves = [tuple(item(f"e-{part}-{n}") for n in range(MOST // 2 + 1)) for part in range(2)]
    first = pushes.begin(item("e-0"))
    others = pushes.more(*halves)
    pushes.open()
    assert all(one.result(20).items for one in (first, *others))
    assert pushes.door.sizes == [1, MOST // 2 + 1, MOST // 2 + 1]


def test_a_request_given_up_while_it_waits_takes_no_neighbour_along(pushes: Pushes) -> None:
    item = pushes.hub.item
    first = pushes.begin(item("f-0"))
    given_up, other = pushes.more((item("f-1"),), (item("f-2"),))
    assert given_up.cancel()
    pushes.open()
    assert first.result(10).items[0].outcome == "new"
    assert other.result(10).items[0].outcome == "new"
    assert pushes.door.sizes == [1, 2], "what was handed in is recorded all the same"


def test_a_page_with_a_cursor_is_never_mixed_with_others(hub: Hub) -> None:
    page = Batch(source=SOURCE, envelopes=(hub.item("h-0"),), cursor={"at": "1"})

    async def push() -> Acceptance:
        return await Gathering(hub.intake.accept, anyio.CapacityLimiter(1))(page)

    assert asyncio.run(push()).items[0].outcome == "new"
    assert hub.store.cursor(SOURCE) == {"at": "1"}
