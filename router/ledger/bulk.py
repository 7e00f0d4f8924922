"""
Many rows through one statement, without SQLAlchemy's work per row.

SQLAlchemy writes the statement and knows how each value is bound; both are worked out once and
kept. On SQLite an insert carries many rows in one statement: Python's sqlite3 gives the interpreter lock
away at every step, and with a step per row the writer waited for the other threads at every row
(measured: a page's transaction took four times as long). PostgreSQL takes many rows by COPY: psycopg
splits a statement's text at every value, which took half of a page's transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Dialect,
    Insert,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
)
from sqlalchemy.sql.dml import UpdateBase

from router.ledger.columns import Micros, micros

Row = Mapping[str, Any]
MOST_VALUES = 30_000
"""In one statement; SQLite takes 32,766."""
COPY_FROM = 5
"""Fewer rows are sent quicker by a prepared INSERT."""
MOST_SELECTS = 100
"""In one union; SQLite takes 500."""
_NAMED = re.compile(r"%\((\w+)\)s")


def insert_rows(connection: Connection, table: Table, rows: Sequence[NamedTuple]) -> None:
    """Into a table, rows of one of `rowtypes`' classes: driver values in the order of their fields."""
    if not rows:
        return
    columns = rows[0]._fields
    if len(rows) >= COPY_FROM and connection.dialect.name == "postgresql":
        from router.ledger.copying import copy_rows  # psycopg takes a tenth of a hub's start

        copy_rows(connection, table, columns, rows)
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    values = f"({', '.join([mark] * len(columns))})"
    _insert(connection, f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ", values, rows)


def run_many(connection: Connection, statement: UpdateBase, rows: Sequence[Row]) -> None:
    """Execute for every row. All rows name the same columns."""
    if not rows:
        return
    prepared = _prepared(statement, rows[0], connection.dialect)
    bound = [prepared.bind(row) for row in rows]
    if not isinstance(statement, Insert) or statement.select is not None:
        connection.exec_driver_sql(prepared.sql, bound)
    else:
        _insert(connection, prepared.head, prepared.values, bound)


def _insert(connection: Connection, head: str, values: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """As few statements as there must be."""
    some = MOST_VALUES // len(rows[0])
    for at in range(0, len(rows), some):
        part = rows[at : at + some]
        sql = f"{head}{', '.join([values] * len(part))}"
        connection.exec_driver_sql(sql, tuple(chain.from_iterable(part)))


def fetch(connection: Connection, statement: Select[Any], values: Row) -> Sequence[Any]:
    """The rows of a select whose columns come as the driver gives them: times as whole microseconds."""
    prepared = _prepared(statement, values, connection.dialect)
    return connection.exec_driver_sql(prepared.sql, prepared.bind(values)).all()


def fetch_all(connection: Connection, asked: Sequence[tuple[Select[Any], Row]]) -> list[Any]:
    """The rows of several selects with the same columns, as one statement, for the same reason as above.
    SQLite only."""
    rows: list[Any] = []
    for at in range(0, len(asked), MOST_SELECTS):
        some = [(_prepared(s, v, connection.dialect), v) for s, v in asked[at : at + MOST_SELECTS]]
        sql = " UNION ALL ".join(f"SELECT * FROM ({prepared.sql})" for prepared, _ in some)
        bound = tuple(value for prepared, values in some for value in prepared.bind(values))
        rows += connection.exec_driver_sql(sql, bound).all()
    return rows


class _Prepared:
    """A statement as the driver takes it, with its values by position."""

    def __init__(self, statement: UpdateBase | Select[Any], names: tuple[str, ...], dialect: Dialect) -> None:
        keys = list(names) if isinstance(statement, UpdateBase) else None
        compiled: Any = statement.compile(dialect=dialect, column_keys=keys)
        written = str(compiled)
        self.order: tuple[str, ...] = tuple(compiled.positiontup or _NAMED.findall(written))
        self._pick = _picker(self.order)
        self.sql = _NAMED.sub("%s", written)
        head, _, values = self.sql.partition("VALUES ")
        self.head, self.values = f"{head}VALUES ", values
        self._constants = {n: bind.value for n, bind in compiled.binds.items() if n not in names}
        binders = [_binder(compiled.binds[name].type, dialect) for name in self.order]
        self._binders = [(at, binder) for at, binder in enumerate(binders) if binder]

    def bind(self, row: Row) -> tuple[Any, ...]:
        """The row's values in the statement's order."""
        whole = {**self._constants, **row} if self._constants else row
        values = list(self._pick(whole))
        for at, binder in self._binders:
            values[at] = binder(values[at])
        return tuple(values)


def _picker(names: Sequence[str]) -> Callable[[Row], Sequence[Any]]:
    """These values of a row, in this order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda row: [row[name] for name in names]


def _binder(type_: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    """How a value is handed to the driver; both drivers take text, numbers and bytes as they are."""
    if isinstance(type_, Micros):
        return micros
    if isinstance(type_, (String, Integer, LargeBinary)):
        return None
    binder: Callable[[Any], Any] | None = type_.dialect_impl(dialect).bind_processor(dialect)
    return binder


_cache: dict[tuple[Any, tuple[str, ...], str], _Prepared] = {}


def _prepared(statement: Any, row: Row, dialect: Dialect) -> _Prepared:
    key = (statement, tuple(row), dialect.name)
    found = _cache.get(key)
    if found is None:
        found = _cache[key] = _Prepared(statement, key[1], dialect)
    return found
