"""
Tells the table what we have: waiting rows are set to taken, if they are still the rows that were read.

A row whose state or change time is another by now is left alone and read again. So is one that cannot
be marked just now; a few such rows (locked by somebody, say) do not hold up the others of their batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, bindparam, update
from sqlalchemy.types import NullType

from connectors.table_exchange_database import Database
from connectors.table_exchange_errors import Unreadable, as_hub_errors
from connectors.table_exchange_layout import Layout
from connectors.table_exchange_rows import Handed
from connectors.table_exchange_settings import StatusSettings, spell_mark
from router.errors import SourceRefused, SourceUnavailable

LEFT_ALONE = 3
"""So many rows of one batch may refuse to be marked before the round is given up."""
UNSETTLED = timedelta(seconds=2)
"""A change time in whole seconds cannot tell two changes of one second apart until that second is over."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One row as it was read, and what it becomes."""

    row: Handed
    to: str


class Marker:
    """Marks for one round, over its connection."""

    def __init__(
        self, connection: Connection, database: Database, layout: Layout, status: StatusSettings, where: str
    ) -> None:
        self._connection = connection
        self._database = database
        self._layout = layout
        self._status = status
        self._where = where

    def mark(self, rows: Sequence[tuple[Handed, bool]], now: datetime) -> None:
        """Each row with whether it was understood. Raises SourceUnavailable or SourceRefused."""
        taken = spell_mark(self._status.taken) or ""
        failed = taken if self._status.failed is None else spell_mark(self._status.failed) or ""
        marks = [
            Mark(row, taken if is_good else failed) for row, is_good in rows if self._is_settled(row, now)
        ]
        try:
            self._apply(marks, now)
        except SourceUnavailable as error:
            self._singly(marks, now, error)

    def _singly(self, marks: Sequence[Mark], now: datetime, error: SourceUnavailable) -> None:
        refused = 0
        if self._connection.invalidated:
            raise error
        for mark in marks:
            try:
                self._apply([mark], now)
            except SourceUnavailable:
                refused += 1
                if self._connection.invalidated or refused > LEFT_ALONE or refused == len(marks):
                    raise

    def _apply(self, marks: Sequence[Mark], now: datetime) -> None:
        """One transaction for all of them."""
        groups: dict[tuple[bool, bool], list[dict[str, Any]]] = {}
        for mark in marks:
            shape = (mark.row.state is None, mark.row.stamp is None)
            groups.setdefault(shape, []).append(self._words(mark, now))
        try:
            with as_hub_errors(self._where), self._database.watched(), self._connection.begin():
                for shape, words in groups.items():
                    self._connection.execute(self._statement(*shape), words)
        except Unreadable as error:
            raise SourceRefused(
                f"{self._where}: its status column does not take the words ({error})"
            ) from error

    def _words(self, mark: Mark, now: datetime) -> dict[str, Any]:
        words = {f"id_{place}": value for place, value in enumerate(mark.row.ids)}
        local = now.astimezone(self._database.zone).replace(tzinfo=None, microsecond=0)
        at = str(local) if self._database.dialect == "sqlite" else local
        return words | {"state": mark.row.state, "stamp": mark.row.stamp, "to": mark.to, "at": at}

    def _statement(self, has_no_state: bool, has_no_stamp: bool) -> Update:
        layout = self._layout
        assert layout.state is not None
        where = [layout[name] == _slot(f"id_{place}") for place, name in enumerate(layout.ids)]
        where.append(_same(layout[layout.state], "state", has_no_state))
        if layout.updated is not None:
            where.append(_same(layout[layout.updated.column], "stamp", has_no_stamp))
        values = {layout[layout.state]: _slot("to")}
        if layout.taken_at is not None:
            values[layout[layout.taken_at]] = _slot("at")
        return update(layout.table).where(*where).values(values)

    def _is_settled(self, row: Handed, now: datetime) -> bool:
        stamp = self._layout.updated
        moment = stamp.read(row.stamp) if stamp and stamp.kind != "date" else None
        return moment is None or moment.microsecond > 0 or abs(now - moment) >= UNSETTLED


def _slot(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=NullType())


def _same(column: ColumnElement[Any], name: str, is_null: bool) -> ColumnElement[bool]:
    return column.is_(None) if is_null else column == _slot(name)
