"""
Pages of rows by keyset: each query goes on from the last row's own place, which is read once more.

Going on *from* a row and not *behind* it is what keeps rows of equal time and id together: what the
page before had already is recognised by its bytes. No transaction is open while a page is being worked
on. A page with a row that the database or driver cannot hand over is read again row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select

from connectors.blocks import MIB
from connectors.table_exchange_database import Database
from connectors.table_exchange_errors import Unreadable, as_hub_errors
from connectors.table_exchange_layout import Layout
from connectors.table_exchange_queries import Queries, Walk
from connectors.table_exchange_rows import Row, write_row
from connectors.table_exchange_settings import TableSettings
from router.errors import SourceRefused

BUDGET = 8 * MIB
"""New rows of one query, as JSON: a page of large rows is cut short there, and the next goes on from it."""
MOST_ALIKE = 8000
"""More rows than that with the same id and time are no rows with an id."""


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Row]
    last: tuple[Any, ...]
    """The key that the next page goes on from."""
    is_end: bool


class Reader:
    """Reads for one round, over its connection."""

    def __init__(
        self, connection: Connection, database: Database, layout: Layout, settings: TableSettings, where: str
    ) -> None:
        self._connection = connection
        self._database = database
        self._layout = layout
        self._settings = settings
        self._where = where
        self._queries = Queries(layout, settings.status)
        self._zone = database.zone if settings.zone else None

    def stamped(self, from_: Any = None) -> Iterator[list[Row]]:
        """Rows with id and time, oldest first, from a time on; by id, where no time is configured."""
        return self._pages(self._queries.stamped(), None if from_ is None else (from_,))

    def unstamped(self, from_: Sequence[Any] | None = None) -> Iterator[list[Row]]:
        """Rows with an id and without a time, from an id on."""
        walk = self._queries.unstamped()
        return iter(()) if walk is None else self._pages(walk, from_)

    def nameless(self, from_: Any = None) -> Iterator[list[Row]]:
        """Rows without an id, and one page of them: they have no order that a second could go on in."""
        asked = self._queries.nameless(from_, self._settings.page)
        if asked is None:
            return
        try:
            rows, _ = self._fetched(asked, self._layout.read, (), set())
        except Unreadable as error:
            raise SourceRefused(f"{self._where}: rows without an id cannot be read ({error})") from error
        if rows:
            yield rows

    def _pages(self, walk: Walk, border: Sequence[Any] | None) -> Iterator[list[Row]]:
        known: set[bytes] = set()
        most = self._settings.page
        while True:
            page = self._page(walk, border, most, known)
            fresh = [row for row in page.rows if row.digest not in known]
            if fresh:
                yield fresh
            if page.is_end:
                return
            most = self._settings.page + 1 if fresh else most * 2
            if most > MOST_ALIKE:
                names = ", ".join(self._layout.ids)
                raise SourceRefused(f"{self._where}: thousands of rows share one {names}; it is no id")
            digests = {row.digest for row in page.rows}
            known = known | digests if page.last == border else digests
            border = page.last

    def _page(self, walk: Walk, border: Sequence[Any] | None, most: int, known: set[bytes]) -> _Page:
        names = self._layout.read
        try:
            asked = self._queries.page(walk, border, most, names)
            rows, is_cut = self._fetched(asked, names, walk.keys, known)
        except Unreadable:
            return self._singly(walk, border, most)
        return _Page(rows, rows[-1].key if rows else (), len(rows) < most and not is_cut)

    def _singly(self, walk: Walk, border: Sequence[Any] | None, most: int) -> _Page:
        """The same page row by row; of what cannot be read, the key columns."""
        names = self._layout.keys
        try:
            asked = self._queries.page(walk, border, most, names)
            keys, is_cut = self._fetched(asked, names, walk.keys, set())
        except Unreadable as error:
            shown = ", ".join(names)
            raise SourceRefused(f"{self._where}: {shown} of some row cannot be read ({error})") from error
        rows = [row for key in keys for row in self._one(walk, key)]
        return _Page(rows, keys[-1].key if keys else (), len(keys) < most and not is_cut)

    def _one(self, walk: Walk, key: Row) -> list[Row]:
        try:
            return self._fetched(self._queries.one(key.ids), self._layout.read, walk.keys, set())[0]
        except Unreadable as error:
            problem = f"the database cannot hand over this row ({error}); these are its key columns"
            return [replace(key, problem=problem)]

    def _fetched(
        self, asked: Select[Any], names: Sequence[str], order: Sequence[str], known: set[bytes]
    ) -> tuple[list[Row], bool]:
        """The rows of one query, and whether the budget was used up before their end."""
        rows: list[Row] = []
        size = 0
        asked = asked.execution_options(stream_results=True, max_row_buffer=100)
        with (
            as_hub_errors(self._where),
            self._database.watched(),
            self._connection.begin(),
            self._connection.execute(asked) as result,
        ):
            for values in result:
                row = self._row(dict(zip(names, values, strict=True)), order)
                rows.append(row)
                size += 0 if row.digest in known else len(row.body)
                if size > BUDGET:
                    return rows, True
        return rows, False

    def _row(self, values: dict[str, Any], order: Sequence[str]) -> Row:
        layout = self._layout
        body = {name: values[name] for name in layout.body if name in values}
        written, problem = write_row(body, self._zone, self._settings.max_bytes)
        return Row(
            key=tuple(values[name] for name in order),
            ids=tuple(values[name] for name in layout.ids),
            state=values[layout.state] if layout.state else None,
            stamp=values[layout.updated.column] if layout.updated else None,
            body=written,
            problem=problem,
        )
