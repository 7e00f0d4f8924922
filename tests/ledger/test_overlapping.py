"""A round that goes ahead: the next batch is worked out while the last is written; all else is the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta

from router.errors import LedgerUnavailable
from router.events import Event, RoundFailed, RoundFinished
from router.flows.overlapping import Begin
from router.flows.polling import Polling, PollingTools
from router.message import Acceptance, Batch, Cursor
from tests.hub import SOURCE, Hub, StepClock

WITHIN = 10.0


class Alone:
    def take(self, *_: object) -> bool:
        return True

    def give_back(self, *_: object) -> None:
        """Nobody else wants it."""


class Pages:
    """A source of ready batches; says what was asked of it, in order."""

    name = SOURCE

    def __init__(self, *batches: Batch, goes_ahead: bool = True) -> None:
        self.goes_ahead = goes_ahead
        self._batches = batches
        self.steps: list[str] = []
        self.beyond = [threading.Event() for _ in batches]
        """Set once the source is asked for more than this one."""

    def open(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fetch(self, after: Cursor | None) -> Iterator[Batch]:
        for number, batch in enumerate(self._batches):
            self.steps.append(f"fetched {number}")
            yield batch
            self.beyond[number].set()

    def acknowledge(self, batch: Batch, acceptance: Acceptance) -> None:
        self.steps.append(f"acknowledged {self._batches.index(batch)}")


def one_round(source: Pages, begin: Begin) -> Event:
    told: list[Event] = []
    tools = PollingTools(begin, lambda _: None, Alone(), StepClock(), told.append)
    Polling(source, timedelta(seconds=1), tools).round(threading.Event())
    return told[-1]


def batch(number: int) -> Batch:
    return Batch(source=SOURCE, envelopes=(), cursor={"page": str(number)})


def test_the_next_batch_is_fetched_while_the_last_is_written() -> None:
    source = Pages(*map(batch, range(3)))

    def begin(taken: Batch) -> Callable[[], Acceptance]:
        def record() -> Acceptance:
            assert taken.cursor is not None
            assert source.beyond[int(taken.cursor["page"])].wait(WITHIN), "nothing was fetched meanwhile"
            return Acceptance(items=())

        return record

    assert isinstance(one_round(source, begin), RoundFinished)
    assert [step for step in source.steps if step.startswith("ack")] == [
        f"acknowledged {number}" for number in range(3)
    ]


def test_a_source_that_waits_for_its_acknowledgement_is_not_asked_for_more_before() -> None:
    source = Pages(*map(batch, range(3)), goes_ahead=False)
    assert isinstance(one_round(source, lambda _: lambda: Acceptance(items=())), RoundFinished)
    assert source.steps == [f"{done} {n}" for n in range(3) for done in ("fetched", "acknowledged")]


def test_after_a_write_that_failed_nothing_is_written_or_acknowledged() -> None:
    source = Pages(*map(batch, range(4)))
    written: list[Batch] = []

    def begin(taken: Batch) -> Callable[[], Acceptance]:
        def record() -> Acceptance:
            if taken.cursor == {"page": "1"}:
                raise LedgerUnavailable("the disk is full")
            written.append(taken)
            return Acceptance(items=())

        return record

    assert isinstance(one_round(source, begin), RoundFailed)
    assert written == [batch(0)]
    assert [step for step in source.steps if step.startswith("ack")] == ["acknowledged 0"]


def test_an_item_that_comes_again_in_the_next_batch_is_one_appeal(hub: Hub) -> None:
    """Its first writing was not seen when the second was worked out: that one is worked out again."""
    pages = (
        Batch(source=SOURCE, envelopes=(hub.item("1", "欠薪"), hub.item("2", "噪声"))),
        Batch(source=SOURCE, envelopes=(hub.item("2", "噪声，夜里"), hub.item("3", "灯"))),
    )
    source = Pages(*pages)
    finished = one_round(source, hub.intake.begin)
    assert isinstance(finished, RoundFinished)
    assert dict(finished.counts) == {"new": 3, "revision": 1}
    heads = hub.store.heads(SOURCE, ["1", "2", "3"])
    assert [heads[source_id].revision for source_id in ("1", "2", "3")] == [1, 2, 1]
