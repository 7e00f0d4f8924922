"""What every polled source promises, whatever system it polls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from router.errors import HubError
from router.message import Acceptance, Accepted, Batch, Cursor
from router.ports import Source


def taken(batch: Batch) -> Acceptance:
    """As the intake answers when all of it was new."""
    key = "00000000-0000-7000-8000-000000000000"
    return Acceptance(
        items=tuple(
            Accepted(source_id=e.source_id, appeal_id=key, revision=1, outcome="new") for e in batch.envelopes
        )
    )


def fetch_all(source: Source, after: Cursor | None = None) -> list[Batch]:
    with source.open():
        return list(source.fetch(after))


def fetch_until_error(source: Source, after: Cursor | None = None) -> tuple[list[Batch], HubError | None]:
    """What a round handed out before it broke off, and how it did."""
    got: list[Batch] = []
    try:
        with source.open():
            for batch in source.fetch(after):
                got.append(batch)
    except HubError as error:
        return got, error
    return got, None


def ids(batches: list[Batch]) -> list[str]:
    return [envelope.source_id for batch in batches for envelope in batch.envelopes]


def last_cursor(batches: list[Batch]) -> Cursor | None:
    return next((batch.cursor for batch in reversed(batches) if batch.cursor), None)


class SourceContract:
    """Inherit, and give `source`, with at least three items on two pages, `break_off` and `mend`."""

    EXPECTED: tuple[str, ...] = ()
    """The ids of all items."""

    @pytest.fixture
    def source(self) -> Iterator[Source]:
        raise NotImplementedError("give a source")

    def break_off(self) -> None:
        """Make the system fail from the second page on."""
        raise NotImplementedError("say how it breaks off")

    def mend(self) -> None:
        """Make it whole again."""
        raise NotImplementedError("say how it is mended")

    def how_far(self, cursor: Cursor | None) -> Any:
        """What of the cursor must never go back."""
        return (cursor or {}).get("time", "")

    def test_everything_is_handed_out(self, source: Source) -> None:
        assert sorted(set(ids(fetch_all(source)))) == sorted(self.EXPECTED)

    def test_a_source_can_be_opened_again(self, source: Source) -> None:
        fetch_all(source)
        assert sorted(set(ids(fetch_all(source)))) == sorted(self.EXPECTED)

    def test_fetching_again_gives_the_same_ids_and_bytes(self, source: Source) -> None:
        runs = [fetch_all(source), fetch_all(source)]
        first, second = ([(e.source_id, e.body) for b in run for e in b.envelopes] for run in runs)
        assert first == second
        assert first

    def test_acknowledging_twice_is_harmless(self, source: Source) -> None:
        with source.open():
            for batch in source.fetch(None):
                source.acknowledge(batch, taken(batch))
                source.acknowledge(batch, taken(batch))
        assert sorted(set(ids(fetch_all(source)))) == sorted(self.EXPECTED)

    def test_the_cursor_never_goes_back(self, source: Source) -> None:
        cursor, reached = None, []
        for _ in range(3):
            for batch in fetch_all(source, cursor):
                cursor = batch.cursor or cursor
                reached.append(self.how_far(cursor))
        assert reached == sorted(reached)
        assert reached[-1], "it moved"

    def test_what_was_at_the_edge_is_read_again(self, source: Source) -> None:
        cursor = last_cursor(fetch_all(source))
        assert ids(fetch_all(source, cursor)), "ties at the edge and late items must come again"

    def test_a_round_that_breaks_off_loses_nothing_and_its_error_is_ours(self, source: Source) -> None:
        self.break_off()
        before, error = fetch_until_error(source)
        assert isinstance(error, HubError)
        assert ids(before), "the first page was good"
        assert set(ids(before)) < set(self.EXPECTED)
        self.mend()
        after = fetch_all(source, last_cursor(before))
        assert set(ids(before)) | set(ids(after)) == set(self.EXPECTED)

    def test_a_reader_that_walks_away_in_mid_round_loses_nothing(self, source: Source) -> None:
        with source.open():
            first = next(iter(source.fetch(None)))
        rest = fetch_all(source, first.cursor)
        assert set(ids([first])) | set(ids(rest)) == set(self.EXPECTED)

    def test_batches_are_small_enough_for_one_transaction_and_of_this_source(self, source: Source) -> None:
        for batch in fetch_all(source):
            assert len(batch.envelopes) <= 200
            assert batch.source == source.name
