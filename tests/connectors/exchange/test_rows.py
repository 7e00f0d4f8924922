"""A row becomes the same JSON at every reading; what cannot be read is told of that row alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import NullPool, create_engine, make_url, text

from connectors.table_exchange_rows import plain, source_id, write_row
from router import jsontext
from router.errors import SourceRefused
from tests.connectors.contract import fetch_all, fetch_until_error, ids
from tests.connectors.exchange.tables import (
    BYTES,
    SHANGHAI,
    STATUS,
    WATERMARK,
    Exchange,
    bodies,
    problems,
    row,
    work_off,
)

Make = Callable[[str], Exchange]
LONG_NUMBER = 12345678901234567890123


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(None, None, id="nothing stays nothing"),
        pytest.param(True, True, id="true"),
        pytest.param(LONG_NUMBER, LONG_NUMBER, id="a whole number of 23 digits"),
        pytest.param(Decimal("12345678901234567890.10"), Decimal("12345678901234567890.10"), id="a decimal"),
        pytest.param(Decimal("NaN"), "NaN", id="no number is a word"),
        pytest.param(float("inf"), "inf", id="nor is infinity"),
        pytest.param("路灯\x00不亮", "路灯\x00不亮", id="text as it comes"),
        pytest.param(b"\x00\xff", "AP8=", id="bytes in base64"),
        pytest.param(memoryview(b"\x00\xff"), "AP8=", id="bytes of another driver"),
        pytest.param(datetime(2026, 3, 1, 8, 0, 5), "2026-03-01T08:00:05", id="a time without a zone"),
        pytest.param(
            datetime(2026, 3, 1, 8, tzinfo=SHANGHAI), "2026-03-01T00:00:00+00:00", id="a time with one"
        ),
        pytest.param(date(2026, 3, 1), "2026-03-01", id="a date"),
        pytest.param(time(8, 30), "08:30:00", id="a time of day"),
        pytest.param(
            timedelta(hours=838, minutes=59, seconds=1, microseconds=5), "838:59:01.000005", id="a length"
        ),
        pytest.param(-timedelta(hours=12, minutes=30), "-12:30:00", id="a length below zero"),
        pytest.param(UUID(int=7), "00000000-0000-0000-0000-000000000007", id="a uuid"),
        pytest.param([1, [Decimal("1.5")]], [1, [Decimal("1.5")]], id="a list"),
        pytest.param({"b": 1, "a": None}, {"a": None, "b": 1}, id="an object"),
    ],
)
def test_a_value_in_the_words_of_json(value: object, written: object) -> None:
    body, problem = write_row({"column": value}, None, 10_000)
    assert problem is None
    assert jsontext.loads(body) == {"column": written}


def test_the_names_of_a_row_are_sorted() -> None:
    assert write_row({"b": 1, "a": 2}, None, 100)[0] == b'{"a":2,"b":1}'


def test_times_without_a_zone_get_the_one_that_is_configured() -> None:
    assert plain(datetime(2026, 3, 1, 8), UTC) == "2026-03-01T08:00:00+00:00"


def test_a_value_without_a_text_is_left_out_and_said() -> None:
    body, problem = write_row({"a": object(), "b": 1}, None, 100)
    assert body == b'{"b":1}'
    assert problem == "column a: a value of type object has no text"


@pytest.mark.parametrize(
    ("values", "joined"),
    [
        ((7,), "7"),
        (("A/1",), "A/1"),
        (("  A1  ",), "A1"),
        ((Decimal("1E+3"),), "1000"),
        ((3.0,), "3"),
        ((b"\x01\xff",), "01ff"),
        (("a/b", "c"), "a%2Fb/c"),
        (("a", "b/c"), "a/b%2Fc"),
        (("a%2Fb", "c"), "a%252Fb/c"),
        ((None,), None),
        (("",), None),
        ((1, None), None),
        ((True,), None),
        (("x" * 201,), None),
        (("x" * 150, "y" * 150), None),
    ],
)
def test_an_id_of_one_or_several_columns(values: tuple[Any, ...], joined: str | None) -> None:
    assert source_id(values) == joined


@given(
    st.lists(
        st.text(min_size=1, max_size=8).filter(lambda part: part == part.strip() and "\x00" not in part),
        min_size=2,
        max_size=3,
    )
)
def test_different_ids_never_join_to_the_same(parts: list[str]) -> None:
    other = source_id(["/".join(parts[:-1]), parts[-1]])
    assert len(parts) == 2 or source_id(parts) != other


def test_what_databases_hold_arrives_exactly(exchange: Exchange) -> None:
    exchange.do(
        "create table appeals (id int primary key, number numeric(30), price decimal(10,2), "
        f"file {BYTES[exchange.dialect]}, day date, at_time time, note varchar(50), take_state int)"
    )
    number = "12345678901234567890123" if exchange.dialect != "sqlite" else "123456789012345678"
    exchange.do(
        f"insert into appeals values (1, {number}, 10.50, :file, '2026-03-01', '08\\:30\\:00', :note, 0)",
        file=b"\x00\xff",
        note="企业\t“诉求”",
    )
    batch = fetch_all(exchange.source(updated=None))[0]
    (envelope,) = batch.envelopes
    read = jsontext.loads(envelope.body)
    assert read["number"] == int(number)
    assert b"e+" not in envelope.body.lower()
    assert read["price"] == Decimal("10.50")
    assert read["file"] == "AP8="
    assert (read["day"], read["at_time"]) == ("2026-03-01", "08:30:00")
    assert read["note"] == "企业\t“诉求”"
    assert list(read) == sorted(read)


def test_only_the_columns_that_are_named_are_read(exchange: Exchange) -> None:
    exchange.create()
    exchange.fill(row(1))
    batches = fetch_all(exchange.source(columns=["title", "TITLE"]))
    assert bodies(batches) == {"A0001": {"id": "A0001", "title": "第1件"}}


def test_names_of_every_kind_are_quoted(exchange: Exchange) -> None:
    quote = "`" if exchange.dialect == "mysql" else '"'
    names = [f"{quote}{name}{quote}" for name in ("诉求 编号", "order", "a'b; drop table appeals", "更新")]
    exchange.do(
        f"create table {quote}select{quote} ({names[0]} varchar(20) primary key, {names[1]} varchar(4), "
        f"{names[2]} int, {names[3]} varchar(30))"
    )
    exchange.do(f"insert into {quote}select{quote} values ('甲/1', '0', 7, '2026-03-01 08\\:00\\:00')")
    source = exchange.source(
        table="select",
        id="诉求 编号",
        columns=["a'b; drop table appeals"],
        updated={"column": "更新", "formats": ["%Y-%m-%d %H:%M:%S"]},
        status={**STATUS, "column": "order"},
    )
    assert work_off(source) == ["甲/1"]
    assert work_off(source) == []


def test_several_columns_name_a_row(exchange: Exchange) -> None:
    exchange.create(key="id varchar(20), system_no int", unique="id, system_no")
    exchange.fill(*(row(1, system_no=number) for number in (3, 1, 2)), row(2, system_no=1))
    source = exchange.source(id=["id", "system_no"], page=2)
    assert work_off(source) == ["A0001/1", "A0001/2", "A0001/3", "A0002/1"]
    assert work_off(source) == []


@pytest.mark.parametrize("way", [{"status": STATUS}, {"watermark": WATERMARK}], ids=["status", "watermark"])
def test_a_row_without_an_id_is_a_dead_letter_of_its_own(exchange: Exchange, way: dict[str, Any]) -> None:
    exchange.create(key="id varchar(300)", unique="")
    exchange.fill(row(1), row(2, id=None), row(3, id=""), row(4, id="x" * 250), row(5, id=None, updated=None))
    for _ in range(2):
        said = problems(fetch_all(exchange.source(page=2, **way)))
        assert said.pop("A0001") is None
        assert len(said) in (3, 4), "one page of them, of two rows"
        assert all(
            name.startswith("sha256:") and "no id in id" in str(problem) for name, problem in said.items()
        )


def test_a_zero_date_is_that_rows_affair(exchange_on: Make) -> None:
    exchange = exchange_on("mysql")
    exchange.create()
    exchange.fill(row(1), row(3))
    with exchange.begin() as connection:
        connection.execute(text("set session sql_mode = ''"))
        connection.execute(
            text("insert into appeals (id, updated, take_state) values ('A0002', '0000-00-00', '0')")
        )
    for way in ({"watermark": WATERMARK}, {}):
        batches = fetch_all(exchange.source(**way))
        assert sorted(ids(batches)) == ["A0001", "A0002", "A0003"]
        assert bodies(batches)["A0002"]["updated"].startswith("0000-00-00")
    assert len(work_off(exchange.source())) == 3
    assert set(exchange.states().values()) == {"1"}


def test_times_beyond_pythons_are_that_rows_affair(exchange_on: Make) -> None:
    exchange = exchange_on("postgresql")
    exchange.create()
    odd = ("infinity", "-infinity", "12026-01-01", "0044-03-15 BC")
    exchange.fill(row(1), *(row(2 + place, updated=at) for place, at in enumerate(odd)))
    watermark = fetch_all(exchange.source(page=2, watermark=WATERMARK))
    assert len(set(ids(watermark))) == 5
    assert bodies(watermark)["A0002"]["updated"] == "infinity"
    assert (watermark[-1].cursor or {})["time"] == "2026-03-01T00:01:00+00:00"
    assert len(work_off(exchange.source(page=2))) == 5
    assert set(exchange.states().values()) == {"1"}


def test_json_columns_keep_their_numbers(exchange_on: Make) -> None:
    exchange = exchange_on("postgresql")
    exchange.do("create table appeals (id int primary key, more jsonb, as_text json, take_state int)")
    exchange.do(
        "insert into appeals values (1, cast(:more as jsonb), cast(:twice as json), 0)",
        more=json.dumps({"no": LONG_NUMBER, "b": [1.10]}),
        twice='{"a": 1, "a": 2}',
    )
    batch = fetch_all(exchange.source(updated=None))[0]
    read = jsontext.loads(batch.envelopes[0].body)
    assert read["more"] == {"b": [Decimal("1.1")], "no": LONG_NUMBER}
    assert read["as_text"] == '{"a": 1, "a": 2}', "what a strict reader refuses stays text"


def test_text_in_another_encoding_is_that_rows_affair(exchange_on: Make) -> None:
    exchange = exchange_on("postgresql")
    url = make_url(exchange.url)
    name = f"{url.database}_ascii"
    server = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"create database {name} template template0 encoding 'SQL_ASCII' locale 'C'"))
    try:
        gbk = Exchange(url.set(database=name).render_as_string(hide_password=False))
        gbk.create()
        gbk.fill(row(1, title="a", content="b"), row(3, title="a", content="b"))
        gbk.do(
            "insert into appeals (id, title, updated, take_state) values "
            "('A0002', convert_from(decode('c2b7b5c6', 'hex'), 'SQL_ASCII'), '2026-03-01 08\\:02\\:00', '0')"
        )
        for way in ({"watermark": WATERMARK}, {}):
            batches = fetch_all(gbk.source(page=2, **way))
            said = problems(batches)
            assert list(said) == ["A0001", "A0002", "A0003"]
            assert "cannot hand over this row" in str(said["A0002"])
            assert bodies(batches)["A0002"]["id"] == "A0002"
            assert said["A0001"] is said["A0003"] is None
        assert len(work_off(gbk.source())) == 3
        assert set(gbk.states().values()) == {"1"}
    finally:
        with server.connect() as connection:
            connection.execute(text(f"drop database {name} with (force)"))


def test_a_view_that_fails_on_one_row_hands_over_the_others(exchange_on: Make) -> None:
    exchange = exchange_on("postgresql")
    exchange.create()
    exchange.fill(*(row(number) for number in range(1, 6)))
    exchange.do("create view shown as select *, 1 / (cast(substr(id, 2) as int) - 3) as share from appeals")
    batches = fetch_all(exchange.source(table="shown", page=2, watermark=WATERMARK))
    said = problems(batches)
    assert sorted(said) == [f"A{number:04}" for number in range(1, 6)]
    assert [name for name, problem in said.items() if problem] == ["A0003"]
    assert "DivisionByZero 22012" in str(said["A0003"])


def test_an_id_that_cannot_be_read_is_said_to_ops(exchange_on: Make) -> None:
    exchange = exchange_on("postgresql")
    exchange.create()
    exchange.fill(row(1))
    exchange.do("create view shown as select 1 / (length(id) - 5) as number, take_state from appeals")
    _, error = fetch_until_error(exchange.source(table="shown", id="number", updated=None))
    assert isinstance(error, SourceRefused)


def test_bytes_that_are_no_utf8_are_kept_in_sqlite(exchange_on: Make) -> None:
    exchange = exchange_on("sqlite")
    exchange.create()
    exchange.fill(row(1))
    exchange.do(
        "insert into appeals (id, title, take_state) values ('A0002', cast(x'c2b7b5c600' as text), '0')"
    )
    source = exchange.source()
    assert sorted(problems(fetch_all(source)).items()) == [("A0001", None), ("A0002", None)]
    assert sorted(work_off(source)) == ["A0001", "A0002"]
    assert set(exchange.states().values()) == {"1"}
