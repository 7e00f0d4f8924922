"""
A ledger with many appeals in it, in a minute or two: a few thousand real ones, multiplied by SQL.

Each copy gets ids, source ids and look-up hashes of its own, so that every index is as large as it would
be. The copies' sealed texts do not open, as they are bound to the ids of the originals: only counts,
indexes and columns are measured on them. No ANALYZE: the hub runs none either, and with its statistics
SQLite would choose other ways than in a city's ledger.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Column, Integer, String, Table

from router.ledger import schema as t

TABLES = (t.appeals, t.envelopes, t.revisions, t.tasks, t.deliveries, t.history)
_IDS = {"appeal_id", "envelope_id", "task_id", "delivery_id"}
_HASHES = {"enterprise_hash", "contact_hash"}


def multiply(ledger: Path, base: int, wanted: int) -> int:
    """Copy the first `base` appeals of the SQLite file until it holds `wanted`; how many it holds then.

    Each of the first has one row in every table. May be called again for more."""
    with sqlite3.connect(ledger) as connection:
        held = int(connection.execute("SELECT count(*) FROM appeals").fetchone()[0])
        # Counted from what is there, so that no copy has the number of an earlier one.
        for copy in range(held, held + max(0, wanted - held) // base):
            for table in TABLES:
                connection.execute(_statement(table), {"copy": copy, "base": base})
            connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(connection.execute("SELECT count(*) FROM appeals").fetchone()[0])


def _statement(table: Table) -> str:
    columns = [column for column in table.columns if not _is_counted(column)]
    names = ", ".join(column.name for column in columns)
    values = ", ".join(_value(column) for column in columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {table.name} WHERE rowid <= :base"


def _is_counted(column: Column[object]) -> bool:
    """A number that the database gives by itself."""
    return column.primary_key and isinstance(column.type, Integer) and column.name.endswith("_id")


def _value(column: Column[object]) -> str:
    name = column.name
    if name in _IDS and isinstance(column.type, String):
        # The first eight digits are a time; as a small number they say "long ago" and are nobody else's.
        return f"printf('%08x', :copy) || substr({name}, 9)"
    if name == "source_id":
        return "source_id || '-' || :copy"
    if name in _HASHES:
        return "lower(hex(randomblob(16)))"
    return name
