"""
The way into another system's database: one connection per polling round, every wait limited.

Server-side limits (statement, lock) make an answer come in order; the watchdog and the driver's own
read timeout are for a server that says nothing at all.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, event, func, make_url, select

from connectors.table_exchange_drivers import (
    MYSQL,
    connect_arguments,
    make_engine,
    make_lenient,
    session_statements,
)
from connectors.table_exchange_errors import as_connection_errors, as_hub_errors
from connectors.table_exchange_settings import TableSettings
from connectors.times import SHANGHAI
from router.ports import Clock


class Database:
    """One source's way in. For one thread."""

    def __init__(self, source: str, settings: TableSettings, password: str | None, clock: Clock) -> None:
        """Raises ConfigError for a dialect or driver that is not installed. Connects to nothing."""
        self._source = source
        self._timeout = settings.timeout
        self._password = password
        self._raw: Any = None
        self._cursor: Any = None
        url = make_url(settings.url)
        self.dialect = url.get_backend_name()
        if password is not None:
            url = url.set(password=password)
        self._engine = make_engine(source, url)
        arguments = connect_arguments(self._engine.driver, settings.timeout)
        self.zone = ZoneInfo(settings.zone) if settings.zone else SHANGHAI

        @event.listens_for(self._engine, "do_connect")
        def _limit(_dialect: Any, _record: Any, _words: Any, named: dict[str, Any]) -> None:
            named.update(arguments)

        @event.listens_for(self._engine, "before_cursor_execute")
        def _remember(_connection: Any, cursor: Any, *_rest: Any) -> None:
            self._cursor = cursor

        @event.listens_for(self._engine, "connect", insert=True)
        def _prepare(raw: Any, _record: Any) -> None:
            self._raw = raw
            make_lenient(raw, self._engine.driver)
            cursor = raw.cursor()
            for statement in session_statements(
                cursor, self.dialect, settings, clock().astimezone(self.zone)
            ):
                cursor.execute(statement)
            cursor.close()
            raw.commit()

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Raises SourceUnavailable, or SourceRefused for wrong credentials."""
        with as_connection_errors(self._source, self._password), self.watched():
            connection = self._engine.connect()
        try:
            yield connection
        finally:
            # A connection that is cut off cannot be given back in order; nor need it be. SQLAlchemy leaves
            # the cursor of such a one open.
            with suppress(Exception), self.watched():
                connection.close()
            with suppress(Exception):
                self._cursor.close()
            self._raw = self._cursor = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Break the connection when the database says nothing for half as long again as it may take."""
        watchdog = threading.Timer(self._timeout.total_seconds() * 1.5, _break, (lambda: self._raw,))
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()

    def now(self, connection: Connection) -> datetime | None:
        """Its own clock, where we know how to ask it."""
        if self.dialect == "postgresql":
            asked = select(func.now())
        elif self.dialect in MYSQL:
            asked = select(func.utc_timestamp())
        else:
            return None
        with as_hub_errors(self._source), self.watched(), connection.begin():
            answer = connection.execute(asked).scalar()
        if not isinstance(answer, datetime):
            return None
        return (answer if answer.tzinfo else answer.replace(tzinfo=UTC)).astimezone(UTC)


def _break(find: Callable[[], Any]) -> None:
    """Wake whoever waits for this connection: SQLite is interrupted, of the others the socket is shut."""
    raw = find()
    with suppress(Exception):
        if hasattr(raw, "interrupt"):
            raw.interrupt()
        else:
            with socket.socket(fileno=os.dup(raw.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
