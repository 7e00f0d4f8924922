"""
What differs between databases and drivers: limits, the session's settings, how values are handed over.

SQLAlchemy's types are not used for what is read: columns come as the driver gives them, so that one
odd value is one row's trouble. psycopg, which would refuse the whole page, gets lenient loaders. With a
watermark the session is read-only, so that nothing here can write even by mistake.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from psycopg import DataError
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.json import JsonbLoader, JsonLoader
from sqlalchemy import URL, Engine, NullPool, create_engine
from sqlalchemy.exc import NoSuchModuleError

from connectors.table_exchange_settings import TableSettings
from router import jsontext
from router.errors import ConfigError, MalformedEnvelope, Problem

MYSQL = ("mysql", "mariadb")
EXTRAS = {"pymysql": "suqiu-hub[mariadb]"}


def make_engine(source: str, url: URL) -> Engine:
    """Connects to nothing. Raises ConfigError for a dialect or driver that is not installed."""
    where = f"sources.{source}.pull.url"
    if url.get_backend_name() == "sqlite":
        # mode=rw: a missing file is an error, not a new and empty database.
        file = f"file:{quote(url.database or '')}"
        url = url.set(database=file).update_query_dict({"mode": "rw", "uri": "true"})
    try:
        engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        missing = getattr(error, "name", None) or url.drivername
        install = EXTRAS.get(missing, "its driver")
        raise ConfigError([Problem(where, f"{missing} is not installed", f"install {install}")]) from error
    except TypeError as error:
        raise ConfigError([Problem(where, "this dialect does not take such a URL")]) from error
    if engine.dialect.is_async:
        raise ConfigError([Problem(where, f"{url.drivername} is an asynchronous driver; name another")])
    return engine


def _patience(timeout: timedelta) -> timedelta:
    """The wait for one lock: short enough that a few locked rows do not use up a round."""
    return max(timeout / 4, timedelta(seconds=1))


def connect_arguments(driver: str, timeout: timedelta) -> dict[str, Any]:
    """Each driver's own words for the time to connect and to wait; none for drivers we do not know."""
    seconds = math.ceil(timeout.total_seconds())
    if driver in ("psycopg", "psycopg2"):
        # Said, because a database that claims no encoding would hand over bytes.
        return {"connect_timeout": max(2, seconds), "application_name": "suqiu", "client_encoding": "utf8"}
    if driver in ("pymysql", "mysqldb"):
        return {"connect_timeout": seconds, "read_timeout": seconds * 2, "write_timeout": seconds * 2}
    if driver == "pysqlite":
        return {"timeout": _patience(timeout).total_seconds(), "check_same_thread": False}
    return {}


def session_statements(cursor: Any, dialect: str, settings: TableSettings, now: datetime) -> Iterator[str]:
    """What to say to the database first; asks it, where versions differ. `now` is in its zone."""
    answer, lock = settings.timeout, _patience(settings.timeout)
    only_reads = settings.watermark is not None
    if dialect == "postgresql":
        yield f"SET statement_timeout = {answer // timedelta(milliseconds=1)}"
        yield f"SET lock_timeout = {lock // timedelta(milliseconds=1)}"
        yield f"SET TIME ZONE '{now.tzinfo}'"
        if only_reads:
            yield "SET default_transaction_read_only = on"
    elif dialect in MYSQL:
        seconds = math.ceil(lock.total_seconds())
        yield f"SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}"
        # TIMESTAMP columns come in the session's zone. Said by its offset: the server may know no names.
        offset = now.strftime("%z")
        yield f"SET SESSION time_zone = '{offset[:3]}:{offset[3:5]}'"
        cursor.execute("SELECT VERSION()")
        if "mariadb" in str(cursor.fetchone()[0]).lower():
            yield f"SET SESSION max_statement_time = {answer.total_seconds()}"
        else:
            yield f"SET SESSION max_execution_time = {answer // timedelta(milliseconds=1)}"
        if only_reads:
            yield "SET SESSION TRANSACTION READ ONLY"
    elif dialect == "sqlite" and only_reads:
        yield "PRAGMA query_only = ON"


def make_lenient(raw: Any, driver: str) -> None:
    """One connection hands over what it cannot understand as the text it was."""
    if driver == "psycopg":
        for name, loader in _LENIENT.items():
            raw.adapters.register_loader(name, loader)
    elif driver == "pysqlite":
        raw.text_factory = lambda text: text.decode("utf-8", "surrogateescape")


def _lenient(strict: Any, wrong: type[Exception]) -> Any:
    """What psycopg cannot put into Python (`infinity`, the year 10000) stays the text it was."""

    class Lenient(strict):  # type: ignore[misc] # a class made from one that is only known at run time
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except wrong:
                return bytes(data).decode("utf-8", "surrogateescape")

    return Lenient


def _exact(strict: Any) -> Any:
    class Exact(strict):  # type: ignore[misc] # as above
        def load(self, data: Any) -> Any:
            return jsontext.loads(bytes(data))

    return _lenient(Exact, MalformedEnvelope)


_LENIENT = {
    "date": _lenient(DateLoader, DataError),
    "timestamp": _lenient(TimestampLoader, DataError),
    "timestamptz": _lenient(TimestamptzLoader, DataError),
    "json": _exact(JsonLoader),
    "jsonb": _exact(JsonbLoader),
}
