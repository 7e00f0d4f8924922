"""Many rows into PostgreSQL by COPY. A module of its own, so that a hub on SQLite does without psycopg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, Table, TypeDecorator
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError


def copy_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """In the binary form: as text, sealed bytes would be twice as many. Raises what SQLAlchemy would raise
    for an INSERT."""
    driver: Any = connection.connection.driver_connection
    sql = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    try:
        with driver.cursor() as cursor, cursor.copy(sql) as copy:
            copy.set_types([_sent_as(table.c[name].type) for name in columns])
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        kinds = (k for k in (IntegrityError, DataError, OperationalError) if isinstance(error, _CAUSES[k]))
        raise next(kinds, DBAPIError)(sql, None, error, connection_invalidated=driver.closed) from error


def _sent_as(kind: Any) -> str:
    """What a column's values are sent as; a JSON text goes as the text that it is."""
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    sizes = ((BigInteger, "int8"), (Integer, "int4"), (LargeBinary, "bytea"))
    return next((name for type_, name in sizes if isinstance(kind, type_)), "text")


_CAUSES: dict[type[DBAPIError], type[Exception]] = {
    IntegrityError: psycopg.IntegrityError,
    DataError: psycopg.DataError,
    OperationalError: psycopg.OperationalError,
}
