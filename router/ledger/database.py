"""
One door to the database, for SQLite and PostgreSQL alike.

SQLite has one writer. Threads queue at a lock of ours before BEGIN IMMEDIATE, processes ask for their
turn every millisecond: in busy_timeout's growing pauses a small writer starves beside page writers.
Readers use an engine of their own and never wait for a writer. `synchronous=FULL`: what was committed
survives a power cut.

SQLite's log is copied into its file by a thread of its own (`Checkpointing`), which takes the copying out
of the commits. Should that thread fall behind, a commit copies the rest once the log has LOG_PAGES.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.pool import QueuePool

from router import jsontext
from router.errors import LedgerUnavailable

BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for another process before it says busy."""
ASK_AGAIN = timedelta(milliseconds=1)
LOG_PAGES = 16_000
"""64 MiB of log."""
CHECKPOINT_EVERY = timedelta(seconds=1)


class Database:
    """Opens transactions; knows which of the two databases it is."""

    def __init__(self, url: str, *, password: str | None = None) -> None:
        parsed = make_url(url)
        if password is not None:
            parsed = parsed.set(password=password)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.file = Path(parsed.database) if self.is_sqlite and parsed.database else None
        self._lock = threading.Lock()
        if self.is_sqlite:
            if self.file:
                self.file.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _sqlite(parsed, begin=_begin_in_turn, pool_size=1, busy_ms=0)
            self._reader = _sqlite(parsed, begin=_begin, pool_size=8, busy_ms=BUSY_TIMEOUT_MS)
        else:
            self._writer = self._reader = create_engine(
                parsed,
                pool_size=16,
                max_overflow=16,
                pool_pre_ping=True,
                json_serializer=_to_json,
                connect_args={"connect_timeout": 5},
            )
        # Whoever leaves an SQLite file last takes its log away, but only by closing; a command just ends.
        weakref.finalize(self, _dispose, self._writer, self._reader)

    @property
    def engine(self) -> Engine:
        """For migrations only."""
        return self._writer

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write. Committed on leaving, rolled back on any error."""
        with _as_ours():
            if self.is_sqlite:
                with self._lock, self._writer.begin() as connection:
                    yield connection
            else:
                with self._writer.begin() as connection:
                    yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent look; never waits for a writer."""
        with _as_ours(), self._reader.connect() as connection:
            yield connection

    def checkpoint(self) -> None:
        """Copy SQLite's log into its file, as far as no reader needs the old state. Hinders no writer."""
        if self.is_sqlite:
            with self._reader.connect() as connection:
                # The driver's own: inside a transaction, which SQLAlchemy would begin, it is refused.
                connection.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        _dispose(self._writer, self._reader)


def _dispose(*engines: Engine) -> None:
    for engine in engines:
        engine.dispose()


class Checkpointing:
    """Run by one thread of a process that writes to SQLite."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def run(self, stop: threading.Event) -> None:
        """Copy what was committed, again and again. What fails is tried again; commits see to it, too."""
        while not stop.wait(CHECKPOINT_EVERY.total_seconds()):
            with suppress(sqlite3.Error, DBAPIError):
                self._db.checkpoint()


@contextmanager
def _as_ours() -> Iterator[None]:
    """The one place where the database being away becomes ours. Refused data passes through as it is."""
    try:
        yield
    except (OperationalError, InterfaceError, DisconnectionError) as error:
        raise LedgerUnavailable(f"the database is away: {_said(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise LedgerUnavailable(f"the database is away: {_said(error)}") from error
        raise


def _said(error: Exception) -> str:
    """The driver's first line. SQLAlchemy's own text would quote the parameters."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().split("\n")[0][:200]


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_in_turn(connection: Connection) -> None:
    """BEGIN IMMEDIATE once no other process writes."""
    driver: Any = connection.connection
    end = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while time.monotonic() < end:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                break
            time.sleep(ASK_AGAIN.total_seconds())
        else:
            return
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # so that what is wrong is said in SQLAlchemy's terms


def _sqlite(url: Any, *, begin: Callable[[Connection], None], pool_size: int, busy_ms: int) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        json_serializer=_to_json,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-16384",
            "mmap_size=268435456",
            f"wal_autocheckpoint={LOG_PAGES}",
            f"busy_timeout={busy_ms}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "begin", begin)
    return engine


def _to_json(value: Any) -> str:
    """JSON with Chinese as it is, so that SQLite's json_extract finds Chinese keys."""
    return jsontext.dumps(value).decode()
