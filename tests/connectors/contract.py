"""What every polled source promises, whatever system it polls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from router.errors import HubError
from router.message import Batch, Cursor
from router.ports import Source


def fetch_all(source: Source, after: Cursor | None = None) -> list[Batch]:
    with source.open():
        return list(source.fetch(after))


def ids(batches: list[Batch]) -> list[str]:
    return [envelope.source_id for batch in batches for envelope in batch.envelopes]


def _into(got: list[Batch], source: Source) -> None:
    with source.open():
        for batch in source.fetch(None):
            got.append(batch)


def last_cursor(batches: list[Batch]) -> Cursor | None:
    return next((batch.cursor for batch in reversed(batches) if batch.cursor), None)


class SourceContract:
    """Inherit, and give `source`: at least three items on two pages; and `break_off(source)`."""

    EXPECTED: tuple[str, ...] = ()

    @pytest.fixture
    def source(self) -> Iterator[Source]:
        raise AssertionError("give a source")

    def break_off(self) -> None:
        """Make the system fail from the second page on."""
        raise AssertionError("say how it breaks off")

    def test_everything_is_handed_out(self, source: Source) -> None:
        assert sorted(set(ids(fetch_all(source)))) == sorted(self.EXPECTED)

    def test_a_source_can_be_opened_again(self, source: Source) -> None:
        fetch_all(source)
        assert ids(fetch_all(source))

    def test_fetching_again_gives_the_same_ids_and_bytes(self, source: Source) -> None:
        first, second = fetch_all(source), fetch_all(source)
        bodies = [[(e.source_id, e.body) for b in run for e in b.envelopes] for run in (first, second)]
        assert bodies[0] == bodies[1]

    def test_acknowledging_twice_is_harmless(self, source: Source) -> None:
        with source.open():
            for batch in source.fetch(None):
                source.acknowledge(batch)
                source.acknowledge(batch)

    def test_the_cursor_never_goes_back(self, source: Source) -> None:
        first = last_cursor(fetch_all(source))
        second = last_cursor(fetch_all(source, first))
        assert first is not None
        assert second is not None
        assert second.get("time", "") >= first.get("time", "")

    def test_what_was_at_the_edge_is_read_again(self, source: Source) -> None:
        cursor = last_cursor(fetch_all(source))
        assert ids(fetch_all(source, cursor)), "ties at the edge and late items must come again"

    def test_what_came_before_a_break_is_not_lost(self, source: Source) -> None:
        whole = fetch_all(source)
        self.break_off()
        got: list[Batch] = []
        with pytest.raises(HubError):
            _into(got, source)
        assert ids(got), "the first page was good"
        assert set(ids(got)) < set(self.EXPECTED)
        moved = last_cursor(got)
        assert moved is None or moved.get("time", "") < (last_cursor(whole) or {}).get("time", "~")

    def test_batches_are_small_enough_for_one_transaction(self, source: Source) -> None:
        assert all(len(batch.envelopes) <= 200 for batch in fetch_all(source))
