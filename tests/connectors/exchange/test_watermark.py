"""Rows are read by their change time, from a little before what is committed; nothing is written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from router.errors import SourceRefused
from router.message import Batch
from tests.connectors.contract import fetch_all, fetch_until_error, ids, last_cursor
from tests.connectors.exchange.tables import NOON, WATERMARK, Exchange, insert, row

OVER_TEN_MINUTES = {"watermark": WATERMARK}


def names(*numbers: int) -> list[str]:
    return [f"A{number:04}" for number in numbers]


def test_only_the_overlap_comes_again(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1, minute=0), row(2, minute=49), row(3, minute=50), row(4, minute=60))
    source = exchange.source(**OVER_TEN_MINUTES)
    first = fetch_all(source)
    assert ids(first) == names(1, 2, 3, 4)
    again = fetch_all(source, last_cursor(first))
    assert ids(again) == names(3, 4)
    assert [e.body for b in again for e in b.envelopes] == [e.body for b in first for e in b.envelopes][2:]


def test_what_commits_late_with_an_older_time_is_found(server: Exchange) -> None:
    server.create()
    source = server.source(**OVER_TEN_MINUTES)
    with server.begin() as theirs:
        insert(theirs, row(1, minute=55))
        server.fill(row(2, minute=60))
        first = fetch_all(source)
        assert ids(first) == names(2), "the first one is not committed yet, though its id and time are lower"
    assert ids(fetch_all(source, last_cursor(first))) == names(1, 2)


def test_equal_times_across_the_border_of_pages_are_all_read(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(*(row(number, minute=5) for number in range(1, 12)), row(12))
    for size in (1, 2, 5, 10, 11):
        assert ids(fetch_all(exchange.source(page=size, **OVER_TEN_MINUTES))) == names(*range(1, 13))


def test_a_round_that_breaks_off_among_equal_times_loses_none_of_them(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(*(row(number, minute=5) for number in range(1, 12)))
    source = exchange.source(page=3, **OVER_TEN_MINUTES)
    with source.open():
        pages = source.fetch(None)
        begun = [next(pages), next(pages)]
    assert ids(begun) == names(*range(1, 7))
    assert ids(fetch_all(source, last_cursor(begun))) == names(*range(1, 12))


def test_the_cursor_moves_only_with_its_batch(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(*(row(number) for number in range(1, 7)))
    batches = fetch_all(exchange.source(page=2, **OVER_TEN_MINUTES))
    reached = [(batch.cursor or {})["time"] for batch in batches]
    assert reached == [f"2026-03-01T00:0{minute}:00+00:00" for minute in (2, 4, 6, 6)]


def test_a_row_with_a_time_in_the_future_is_read_and_moves_nothing(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1), row(2, updated="2031-01-01 00:00:00"))
    source = exchange.source(**OVER_TEN_MINUTES)
    first = fetch_all(source)
    assert ids(first) == names(1, 2)
    assert (last_cursor(first) or {})["time"] == "2026-03-01T00:01:00+00:00"
    exchange.fill(row(3, minute=3))
    assert ids(fetch_all(source, last_cursor(first))) == names(1, 3, 2)


def test_a_clock_of_ours_that_runs_ahead_moves_nothing_beyond_theirs(server: Exchange) -> None:
    server.create()
    server.clock.now = NOON + timedelta(days=3650)
    server.fill(row(1), row(2, updated="2031-01-01 00:00:00"))
    batches = fetch_all(server.source(**OVER_TEN_MINUTES))
    assert (last_cursor(batches) or {})["time"] == "2026-03-01T00:01:00+00:00"


def test_rows_without_a_time_are_read_in_turn_and_none_is_left_out(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.table_exchange_rounds.UNSTAMPED", 4)
    exchange.create()
    exchange.fill(*(row(number, updated=None) for number in range(1, 12)), row(12))
    source = exchange.source(page=2, **OVER_TEN_MINUTES)
    cursor, seen = None, set()
    for _ in range(4):
        batches = fetch_all(source, cursor)
        cursor = last_cursor(batches)
        got = ids(batches)
        assert "A0012" in got, "they hold up no other"
        assert len(got) <= 7
        seen |= set(got)
    assert seen == set(names(*range(1, 13)))
    assert all(one.problem is None for batch in batches for one in batch.envelopes)


def test_the_first_round_begins_where_it_is_told(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(*(row(number) for number in range(1, 6)))
    source = exchange.source(watermark={**WATERMARK, "start": "2026-03-01T08:03:00+08:00"})
    first = fetch_all(source)
    assert ids(first) == names(3, 4, 5)
    assert ids(fetch_all(source, last_cursor(first))) == names(3, 4, 5), (
        "nor does the overlap reach behind it"
    )


def test_a_cursor_that_cannot_be_read_is_none(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1))
    for cursor in ({"time": "yesterday"}, {"unstamped": "{"}, {"unstamped": "7", "mean": "x"}):
        assert ids(fetch_all(exchange.source(**OVER_TEN_MINUTES), cursor)) == names(1)


def test_the_same_row_twice_in_a_view_is_one_row_and_ends(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(*(row(number, minute=5) for number in range(1, 8)))
    exchange.do("create view twice as select * from appeals union all select * from appeals")
    for size in (1, 2, 3, 7):
        got = ids(fetch_all(exchange.source(table="twice", page=size, **OVER_TEN_MINUTES)))
        assert sorted(set(got)) == names(*range(1, 8))
        assert len(got) <= 14


def test_one_id_with_different_contents_loses_none_of_them(exchange: Exchange) -> None:
    exchange.create(unique="")
    exchange.fill(*(row(1, minute=5, title=f"第{number}次") for number in range(20)))
    batches = fetch_all(exchange.source(page=3, **OVER_TEN_MINUTES))
    assert len({one.body for batch in batches for one in batch.envelopes}) == 20


def test_an_id_that_is_none_is_said_instead_of_going_round_for_ever(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.table_exchange_reading.MOST_ALIKE", 20)
    exchange.create(unique="")
    exchange.fill(*(row(1, minute=5) for _ in range(100)))
    got, error = fetch_until_error(exchange.source(page=3, **OVER_TEN_MINUTES))
    assert ids(got)
    assert isinstance(error, SourceRefused)
    assert "share one id" in str(error)


def test_nothing_can_be_written_even_by_mistake(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1))
    source = exchange.source(**OVER_TEN_MINUTES)
    with source.open():
        connection = source._round._reader._connection  # type: ignore[union-attr] # it is open
        with pytest.raises(Exception, match=r"(?i)read.?only"), connection.begin():
            connection.execute(text("update appeals set take_state = '1'"))
    assert exchange.states() == {"A0001": "0"}


@pytest.mark.parametrize("column", ["date", "timestamp with time zone", "varchar(30)", "bigint"])
def test_other_kinds_of_time_columns(exchange_on: Any, column: str) -> None:
    exchange = exchange_on("postgresql")
    exchange.do(f"create table appeals (id int primary key, changed {column})")
    written = {
        "date": ("2026-03-01", "2026-02-28", "2026-02-01"),
        "bigint": (1772323200, 1772323000, 1700000000),
    }.get(column, ("2026-03-01 08:00:00", "2026-03-01 07:50:00", "2026-03-01 07:49:59"))
    for number, at in enumerate(written):
        exchange.do("insert into appeals values (:number, :at)", number=number, at=at)
    overlap = {"date": "1d", "bigint": "10m"}.get(column, "10m")
    form = "epoch_s" if column == "bigint" else "%Y-%m-%d %H:%M:%S"
    source = exchange.source(
        updated=None, watermark={"column": "changed", "overlap": overlap, "format": form}
    )
    first = fetch_all(source)
    assert ids(first) == ["2", "1", "0"]
    assert ids(fetch_all(source, last_cursor(first))) == ["1", "0"]
    assert all(one.updated_at for batch in first for one in batch.envelopes)


def test_a_text_that_does_not_sort_like_its_time_is_said_after_it_was_read(exchange: Exchange) -> None:
    exchange.do("create table appeals (id int primary key, changed varchar(30))")
    exchange.do("insert into appeals values (1, '2026/3/1 8:00:00'), (2, '2026/10/1 8:00:00')")
    form = {"column": "changed", "format": "%Y/%m/%d %H:%M:%S"}
    got, error = fetch_until_error(exchange.source(updated=None, watermark=form))
    assert sorted(ids(got)) == ["1", "2"]
    assert last_cursor(got) is None or "time" not in (last_cursor(got) or {})
    assert isinstance(error, SourceRefused)
    assert "set watermark.format" in str(error)


def test_a_zone_of_theirs_is_kept_in_mind(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1, updated="2026-03-01 08:00:00"))
    batches: list[Batch] = fetch_all(exchange.source(zone="UTC", **OVER_TEN_MINUTES))
    (envelope,) = batches[0].envelopes
    assert str(envelope.updated_at) == "2026-03-01 08:00:00+00:00"
    assert (last_cursor(batches) or {})["time"] == "2026-03-01T08:00:00+00:00"


def test_a_timestamp_of_mysql_is_the_moment_that_it_is(exchange_on: Any) -> None:
    exchange = exchange_on("mysql")
    exchange.do("create table appeals (id int primary key, changed timestamp null)")
    with exchange.begin() as theirs:
        theirs.execute(text("set session time_zone = '-05:00'"))
        theirs.execute(text("insert into appeals values (1, '2026-02-28 19:00:00')"))
    for zone in (None, "UTC"):
        source = exchange.source(updated=None, zone=zone, watermark={"column": "changed"})
        batches = fetch_all(source)
        assert str(batches[0].envelopes[0].updated_at) == "2026-03-01 00:00:00+00:00"
        assert ids(fetch_all(source, last_cursor(batches))) == ["1"]
