"""Rows that wait in a state are read, and marked once they are recorded, if they are still the same rows."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text

from router.errors import SourceRefused, SourceUnavailable
from router.message import Acceptance, Batch
from tests.connectors.contract import fetch_all, ids, taken
from tests.connectors.exchange.tables import NOON, STATUS, Exchange, row, work_off


def test_rows_are_read_oldest_first_and_marked(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1, minute=9), row(2, minute=5), row(3, minute=7), row(4, take_state="1"))
    source = exchange.source(page=2)
    assert work_off(source) == ["A0002", "A0003", "A0001"]
    assert work_off(source) == []
    assert set(exchange.states().values()) == {"1"}


def test_nothing_is_marked_before_it_is_acknowledged(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1), row(2))
    source = exchange.source()
    assert ids(fetch_all(source)) == ["A0001", "A0002"]
    assert exchange.states() == {"A0001": "0", "A0002": "0"}


def test_a_row_that_changed_while_it_was_read_waits_on_and_is_read_again(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1), row(2))
    source = exchange.source()

    def accept(batch: Batch) -> Acceptance:
        if any(one.source_id == "A0001" for one in batch.envelopes):
            exchange.do(
                "update appeals set title = '补充', updated = '2026-03-01 09:30:00' where id = 'A0001'"
            )
        return taken(batch)

    assert work_off(source, acknowledge=accept) == ["A0001", "A0002"]
    assert exchange.states() == {"A0001": "0", "A0002": "1"}
    (batch, _) = fetch_all(source)
    assert "补充" in batch.envelopes[0].body.decode()


def test_a_row_that_they_have_taken_back_meanwhile_is_not_overwritten(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1))

    def accept(batch: Batch) -> Acceptance:
        if batch.envelopes:
            exchange.do("update appeals set take_state = '9'")
        return taken(batch)

    work_off(exchange.source(), acknowledge=accept)
    assert exchange.states() == {"A0001": "9"}


def test_two_changes_within_one_second_are_told_apart(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1, updated=f"{NOON:%Y-%m-%d %H:%M:%S}"))
    source = exchange.source()
    assert work_off(source) == ["A0001"]
    assert exchange.states() == {"A0001": "0"}, (
        "its second is not over: the next change may bear the same time"
    )
    exchange.clock.now = NOON.replace(second=3)
    assert work_off(source) == ["A0001"]
    assert exchange.states() == {"A0001": "1"}


def test_what_was_not_understood_is_marked_as_failed_where_there_is_a_word_for_it(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1), row(2), row(3))

    def accept(batch: Batch) -> Acceptance:
        outcomes = {"A0001": "failed", "A0002": "unapproved"}
        items = [
            one.model_copy(update={"outcome": outcomes.get(one.source_id, "new")})
            for one in taken(batch).items
        ]
        return Acceptance(items=tuple(items))

    status = {**STATUS, "failed": "2", "taken_at": "take_at"}
    work_off(exchange.source(status=status), acknowledge=accept)
    assert exchange.states() == {"A0001": "2", "A0002": "2", "A0003": "1"}
    assert {str(at) for (at,) in exchange.all("select take_at from appeals")} == {"2026-03-02 12:00:00"}


@pytest.mark.parametrize("column", ["varchar(4)", "int"])
@pytest.mark.parametrize("pending", ["0", 0])
def test_a_state_is_found_whether_text_or_number(exchange: Exchange, column: str, pending: object) -> None:
    exchange.do(f"create table appeals (id int primary key, take_state {column}, updated varchar(30))")
    exchange.do("insert into appeals values (7, '0', '2026-03-01 08:00:00'), (8, '1', null), (9, null, null)")
    source = exchange.source(status={**STATUS, "pending": pending, "taken": 1})
    assert work_off(source) == ["7"]
    assert exchange.states() == {7: type(exchange.states()[8])(1), 8: exchange.states()[8], 9: None}


def test_a_state_of_true_and_false(exchange: Exchange) -> None:
    exchange.do("create table appeals (id int primary key, take_state boolean)")
    exchange.do("insert into appeals values (1, false), (2, true)")
    source = exchange.source(status={**STATUS, "pending": False, "taken": True}, updated=None)
    assert work_off(source) == ["1"]
    assert [bool(state) for state in exchange.states().values()] == [True, True]


def test_an_empty_state_waits_only_where_the_settings_say_so(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1, take_state=None), row(2), row(3, take_state="9"))
    assert ids(fetch_all(exchange.source())) == ["A0002"]
    source = exchange.source(status={**STATUS, "pending": ["0", None]})
    assert work_off(source) == ["A0001", "A0002"]
    assert exchange.states() == {"A0001": "1", "A0002": "1", "A0003": "9"}


def test_several_states_may_wait(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1), row(2, take_state="5"), row(3, take_state="9"))
    assert work_off(exchange.source(status={**STATUS, "pending": ["0", "5"]})) == ["A0001", "A0002"]


def test_rows_without_a_change_time_are_read_and_marked_too(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(*(row(number, updated=None) for number in range(1, 6)), row(6))
    source = exchange.source(page=2)
    assert sorted(work_off(source)) == [f"A{number:04}" for number in range(1, 7)]
    assert set(exchange.states().values()) == {"1"}


def test_without_a_change_column_rows_are_read_by_id(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(*(row(number, minute=60 - number) for number in range(1, 8)))
    source = exchange.source(page=3, updated=None)
    assert work_off(source) == [f"A{number:04}" for number in range(1, 8)]
    assert set(exchange.states().values()) == {"1"}


def test_a_row_that_somebody_holds_keeps_no_other_from_being_marked(server: Exchange) -> None:
    server.create()
    server.fill(*(row(number) for number in range(1, 6)))
    source = server.source(page=5)
    with server.begin() as theirs:
        theirs.execute(text("update appeals set title = 'x' where id = 'A0003'"))
        assert len(work_off(source)) == 5
    assert server.states() == {f"A{n:04}": "0" if n == 3 else "1" for n in range(1, 6)}
    assert work_off(source) == ["A0003"]
    assert server.states()["A0003"] == "1"


def test_when_nothing_can_be_marked_the_round_fails_and_nothing_is_lost(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1), row(2))
    source = exchange.source(timeout="2s")

    with ExitStack() as theirs:

        def accept(batch: Batch) -> Acceptance:
            theirs.enter_context(exchange.begin()).execute(text("update appeals set title = 'x'"))
            return taken(batch)

        with pytest.raises(SourceUnavailable, match="locked by somebody else"):
            work_off(source, acknowledge=accept)
    assert work_off(source) == ["A0001", "A0002"]


def test_an_account_that_may_not_write_is_said_to_ops(exchange_on: Any) -> None:
    exchange = exchange_on("postgresql")
    exchange.create()
    exchange.fill(row(1))
    exchange.do("create role reader_only login")
    exchange.do("grant select on appeals to reader_only")
    try:
        source = exchange.source(url=exchange.url.replace("suqiu@", "reader_only@", 1))
        with pytest.raises(SourceRefused, match=r"InsufficientPrivilege 42501.*account's rights"):
            work_off(source)
    finally:
        exchange.do("drop owned by reader_only")
        exchange.do("drop role reader_only")


def test_a_word_that_the_column_does_not_take_is_said_to_ops(exchange_on: Any) -> None:
    exchange = exchange_on("postgresql")
    exchange.do("create table appeals (id int primary key, take_state int)")
    exchange.do("insert into appeals values (1, 0)")
    with pytest.raises(SourceRefused, match="does not take the words"):
        work_off(exchange.source(status={**STATUS, "taken": "yes"}, updated=None))
