"""What goes wrong between us and another system's database: said in our errors, in time, nothing lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import make_url, text

from demo.servers.mariadb import MariaDB
from demo.servers.postgres import PostgreSQL
from demo.servers.server import free_port, wait_until
from router.errors import HubError, SourceRefused, SourceUnavailable
from router.message import Cursor
from tests.connectors.contract import fetch_all, fetch_until_error, ids, last_cursor
from tests.connectors.exchange.tables import STATUS, WATERMARK, Exchange, problems, row, work_off
from tests.servers import BorrowedPostgreSQL

Make = Callable[[str], Exchange]
WAYS = pytest.mark.parametrize(
    "way", [{"status": STATUS}, {"watermark": WATERMARK}], ids=["status", "watermark"]
)
ALL = [f"A{number:04}" for number in range(1, 8)]
LOCKS = {"postgresql": "lock table appeals in access exclusive mode", "mysql": "lock tables appeals write"}
PASSWORD = "s3cret-of-the-exchange"


@pytest.fixture
def filled(exchange: Exchange) -> Exchange:
    exchange.create()
    exchange.fill(*(row(number) for number in range(1, 8)))
    return exchange


@pytest.fixture
def filled_server(server: Exchange) -> Exchange:
    server.create()
    server.fill(*(row(number) for number in range(1, 8)))
    return server


@contextmanager
def locked(exchange: Exchange) -> Iterator[None]:
    """The whole table, by somebody who takes his time."""
    with exchange.begin() as theirs:
        if exchange.dialect == "sqlite":
            theirs.connection.driver_connection.execute("begin exclusive")  # type: ignore[union-attr] # is open
        else:
            theirs.execute(text(LOCKS[exchange.dialect]))
        try:
            yield
        finally:
            if exchange.dialect == "mysql":
                theirs.execute(text("unlock tables"))


def failing_round(
    exchange: Exchange, after: Cursor | None = None, **changes: Any
) -> tuple[list[str], HubError, Any]:
    """The ids before the error, the error, and the cursor so far. Fails when the round is a good one."""
    began = time.monotonic()
    got, error = fetch_until_error(exchange.source(page=3, timeout="2s", **changes), after)
    assert error is not None
    assert time.monotonic() - began < 9, "it does not wait for ever"
    return ids(got), error, last_cursor(got)


@WAYS
def test_a_locked_table_is_waited_for_in_bounds_and_read_later(filled: Exchange, way: dict[str, Any]) -> None:
    with locked(filled):
        got, error, _ = failing_round(filled, **way)
    assert got == []
    assert isinstance(error, SourceUnavailable)
    assert "locked by somebody else" in str(error)
    assert ids(fetch_all(filled.source(**way))) == ALL


@WAYS
def test_a_table_that_is_locked_in_mid_round_loses_nothing(filled: Exchange, way: dict[str, Any]) -> None:
    with locking_at_the_first_page(filled):
        got, error, cursor = failing_round(filled, **way)
    assert got == ALL[:3]
    assert isinstance(error, SourceUnavailable)
    assert set(got) | set(ids(fetch_all(filled.source(**way), cursor))) == set(ALL)


@contextmanager
def locking_at_the_first_page(exchange: Exchange) -> Iterator[None]:
    lock = locked(exchange)
    taken = []

    def take() -> None:
        lock.__enter__()
        taken.append(lock)

    exchange.clock.at_the_first_page(take)
    try:
        yield
    finally:
        for one in taken:
            one.__exit__(None, None, None)


def test_a_missing_table_is_said_with_what_is_there(filled: Exchange) -> None:
    _, error, _ = failing_round(filled, table="appeal")
    assert isinstance(error, SourceRefused)
    assert str(error) == "exchange: table appeal is not there; there is: appeals"


def test_missing_columns_are_said_with_what_is_there(filled: Exchange) -> None:
    changes = {
        "id": ["id", "system"],
        "columns": ["Title", "sum"],
        "status": {**STATUS, "column": "TakeState"},
    }
    _, error, _ = failing_round(filled, **changes)
    assert isinstance(error, SourceRefused)
    there = "content, id, take_at, take_state, title, updated"
    assert str(error) == f"exchange: table appeals has no column system, sum, TakeState; it has: {there}"


def test_a_column_that_goes_away_in_mid_round_is_said_to_ops(filled: Exchange) -> None:
    filled.clock.at_the_first_page(lambda: filled.do("alter table appeals drop column content"))
    got, error, _ = failing_round(filled)
    assert got == ALL[:3]
    assert isinstance(error, SourceRefused)
    assert "compare table, columns" in str(error)
    assert len(ids(fetch_all(filled.source()))) == 7, (
        "and where it was not asked for by name, reading goes on"
    )


def test_a_new_column_is_read_without_being_asked_for(filled: Exchange) -> None:
    source = filled.source()
    fetch_all(source)
    filled.do("alter table appeals add column street varchar(20)")
    assert b'"street":null' in fetch_all(source)[0].envelopes[0].body


@WAYS
def test_an_empty_table_is_no_trouble(exchange: Exchange, way: dict[str, Any]) -> None:
    exchange.create()
    source = exchange.source(**way)
    assert work_off(source) == []
    batches = fetch_all(source, {"time": "2026-03-01T00:00:00+00:00"})
    moved = {(batch.cursor or {}).get("time") for batch in batches}
    assert moved <= {"2026-03-01T00:00:00+00:00"}, "an empty answer moves no cursor"


def test_a_server_that_is_not_there_is_unavailable(server: Exchange) -> None:
    url = make_url(server.url).set(port=free_port()).render_as_string()
    with pytest.raises(SourceUnavailable, match="no connection to the database"):
        fetch_all(server.source(url=url))


def test_a_file_that_is_not_there_is_unavailable_and_not_made(exchange_on: Make, tmp_path: Any) -> None:
    with pytest.raises(SourceUnavailable, match="unable to open database file"):
        fetch_all(exchange_on("sqlite").source(url=f"sqlite:///{tmp_path}/no?where.db"))
    assert [path.name for path in tmp_path.iterdir()] == ["exchange.db"]


def test_a_database_that_is_not_there_refuses_us(server: Exchange) -> None:
    url = make_url(server.url).set(database="nowhere").render_as_string()
    with pytest.raises(SourceRefused, match="nowhere"):
        fetch_all(server.source(url=url))


@pytest.fixture
def asks_for_a_password(
    server: Exchange, postgres: PostgreSQL | BorrowedPostgreSQL, mariadb: MariaDB
) -> Iterator[Exchange]:
    """The server has an account `exchange_reader` whose password it asks for."""
    server.create()
    server.fill(*(row(number) for number in range(1, 8)))
    if server.dialect == "mysql":
        server.do(f"create user exchange_reader identified by '{PASSWORD}'")
        server.do("grant select on *.* to exchange_reader")
        yield server
        server.do("drop user exchange_reader")
        return
    if isinstance(postgres, BorrowedPostgreSQL):
        pytest.skip("needs a PostgreSQL of our own: its access file is changed")
    rules = postgres.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"host all exchange_reader 127.0.0.1/32 scram-sha-256\n{before}")
    server.do(f"create role exchange_reader login password '{PASSWORD}'")
    server.do("grant select on appeals to exchange_reader")
    loaded = server.all("select pg_conf_load_time()")
    server.do("select pg_reload_conf()")
    assert wait_until(lambda: server.all("select pg_conf_load_time()") != loaded, 20)
    yield server
    rules.write_text(before)
    server.do("drop owned by exchange_reader")
    server.do("drop role exchange_reader")
    server.do("select pg_reload_conf()")


def test_a_wrong_password_is_said_to_ops_and_not_shown(asks_for_a_password: Exchange) -> None:
    exchange = asks_for_a_password
    url = make_url(exchange.url).set(username="exchange_reader").render_as_string()
    settings = {"url": url, "password": {"env": "EXCHANGE"}, "watermark": WATERMARK}
    source = exchange.source(secrets=lambda _: PASSWORD, **settings)
    assert ids(fetch_all(source)) == ALL
    with pytest.raises(SourceRefused, match="exchange_reader") as caught:
        fetch_all(exchange.source(secrets=lambda _: "not-the-password", **settings))
    assert "not-the-password" not in str(caught.value)
    with pytest.raises(SourceRefused) as caught:
        fetch_all(exchange.source(url=url, watermark=WATERMARK))
    assert PASSWORD not in repr(source.__dict__)
    assert PASSWORD not in str(caught.value)


def test_an_account_that_may_only_read_a_view_is_enough(asks_for_a_password: Exchange) -> None:
    exchange = asks_for_a_password
    exchange.do("create view shown as select id, title, updated from appeals")
    if exchange.dialect == "mysql":
        exchange.do("revoke select on *.* from exchange_reader")
        exchange.do(f"grant select on `{make_url(exchange.url).database}`.shown to exchange_reader")
    else:
        exchange.do("revoke select on appeals from exchange_reader")
        exchange.do("grant select on shown to exchange_reader")
    url = make_url(exchange.url).set(username="exchange_reader").render_as_string()
    words = {"url": url, "password": {"env": "X"}, "watermark": WATERMARK, "secrets": lambda _: PASSWORD}
    first = fetch_all(exchange.source(table="shown", page=3, **words))
    assert ids(first) == ALL
    assert set(problems(first).values()) == {None}
    assert ids(fetch_all(exchange.source(table="shown", **words), last_cursor(first))) == ALL
    _, error, _ = failing_round(exchange, table="shown", **{**words, "id": "number"})
    assert "has no column number; it has: id, title, updated" in str(error)
    with pytest.raises(SourceRefused):
        fetch_all(exchange.source(**words))


@WAYS
def test_a_connection_that_is_cut_between_two_pages_loses_nothing(
    filled_server: Exchange, way: dict[str, Any]
) -> None:
    filled_server.clock.at_the_first_page(lambda: cut(filled_server))
    got, error, cursor = failing_round(filled_server, **way)
    assert isinstance(error, SourceUnavailable)
    assert got == ALL[:3]
    assert set(got) | set(ids(fetch_all(filled_server.source(**way), cursor))) == set(ALL)


def cut(exchange: Exchange) -> None:
    """End everybody else's connections to this database."""
    if exchange.dialect == "postgresql":
        exchange.do(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        return
    asked = "select id from information_schema.processlist where db = database() and id <> connection_id()"
    for (number,) in exchange.all(asked):
        exchange.do(f"kill connection {number}")


def slow_view(exchange: Exchange, seconds: float) -> None:
    """Each row of it takes its time."""
    pause = f"cast(pg_sleep({seconds}) as text)" if exchange.dialect == "postgresql" else f"sleep({seconds})"
    exchange.do(f"create view shown as select appeals.*, {pause} as slow from appeals")


def test_a_connection_that_is_cut_in_the_middle_of_a_page_loses_nothing(filled_server: Exchange) -> None:
    slow_view(filled_server, 0.2)
    cutter = threading.Timer(0.5, lambda: cut(filled_server))
    cutter.start()
    try:
        _, error, cursor = failing_round(filled_server, table="shown", watermark=WATERMARK)
    finally:
        cutter.join()
    assert isinstance(error, SourceUnavailable)
    assert set(ids(fetch_all(filled_server.source(watermark=WATERMARK), cursor))) == set(ALL)


def test_a_query_that_takes_too_long_is_given_up(filled_server: Exchange) -> None:
    slow_view(filled_server, 2)
    _, error, _ = failing_round(filled_server, table="shown", watermark=WATERMARK)
    assert isinstance(error, SourceUnavailable)
    assert "too slow" in str(error)


@pytest.fixture
def machine(filled_server: Exchange, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The server itself, and it is up again afterwards."""
    server = request.getfixturevalue("postgres" if filled_server.dialect == "postgresql" else "mariadb")
    yield server
    if not server.is_running:
        server.start()


@WAYS
def test_a_server_that_is_killed_in_mid_round_loses_nothing(
    filled_server: Exchange, machine: Any, way: dict[str, Any]
) -> None:
    filled_server.clock.at_the_first_page(machine.kill)
    got, error, cursor = failing_round(filled_server, **way)
    assert isinstance(error, SourceUnavailable)
    assert got == ALL[:3]
    with pytest.raises(SourceUnavailable):
        fetch_all(filled_server.source(**way))
    machine.start()
    assert set(got) | set(ids(fetch_all(filled_server.source(**way), cursor))) == set(ALL)


def test_a_server_that_says_nothing_at_all_is_given_up(filled_server: Exchange, machine: Any) -> None:
    stopped: list[int] = []

    def stop() -> None:
        stopped.extend(serving(filled_server, machine))
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)

    filled_server.clock.at_the_first_page(stop)
    try:
        got, error, cursor = failing_round(filled_server, watermark=WATERMARK)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert isinstance(error, SourceUnavailable)
    assert ids(fetch_all(filled_server.source(watermark=WATERMARK), cursor)) == ALL
    assert got == ALL[:3]


def serving(exchange: Exchange, machine: Any) -> list[int]:
    """The processes that serve the others' connections to this database: PostgreSQL has one for each."""
    if exchange.dialect == "mysql":
        return [machine.pid]
    asked = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    return [pid for (pid,) in exchange.all(asked)]


def test_one_source_goes_on_after_every_trouble(filled_server: Exchange) -> None:
    source = filled_server.source(page=3)
    for _ in range(2):
        filled_server.clock.at_the_first_page(lambda: cut(filled_server))
        _, error = fetch_until_error(source)
        assert isinstance(error, SourceUnavailable)
    assert work_off(source) == ALL
    assert set(filled_server.states().values()) == {"1"}


def test_an_error_quotes_no_row(exchange_on: Make) -> None:
    exchange = exchange_on("postgresql")
    exchange.create()
    exchange.fill(row(1, title="王小明 13812341234"))
    exchange.do("create view shown as select *, cast(title as int) as number from appeals")
    batches = fetch_all(exchange.source(table="shown", watermark=WATERMARK))
    (problem,) = problems(batches).values()
    assert "王" not in str(problem)
    assert "1381234" not in str(problem)
