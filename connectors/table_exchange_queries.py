"""
The questions that are put to the table. Parameters carry every value; names are the table's own.

Values go back to the database as its driver handed them over, without a type of ours in between: what
was read from a column can be compared with that column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select
from sqlalchemy.types import NullType

from connectors.table_exchange_layout import Layout
from connectors.table_exchange_settings import StatusSettings, spell_mark

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Walk:
    """Some of the rows, in an order that pages can go on in."""

    keys: tuple[str, ...]
    """The columns that it is sorted by; the last ones are the id."""
    where: tuple[Condition, ...]


class Queries:
    """The questions of one round."""

    def __init__(self, layout: Layout, status: StatusSettings | None) -> None:
        self._layout = layout
        self._waits = _waits(layout, status)
        self._have_id = tuple(layout[name].is_not(None) for name in layout.ids)

    def stamped(self) -> Walk:
        """Rows with an id and a time, oldest first; by id, where no time is configured."""
        order, ids = self._layout.order, self._layout.ids
        if order is None:
            return Walk(ids, (*self._waits, *self._have_id))
        has_time = self._layout[order.column].is_not(None)
        return Walk((order.column, *ids), (*self._waits, *self._have_id, has_time))

    def unstamped(self) -> Walk | None:
        """Rows with an id, and with nothing where their time should be."""
        order = self._layout.order
        if order is None:
            return None
        return Walk(self._layout.ids, (*self._waits, *self._have_id, self._layout[order.column].is_(None)))

    def nameless(self, from_: Any, most: int) -> Select[Any] | None:
        """Rows without an id, which have no place in any order. None where there can be none."""
        if not self._layout.may_lack_id:
            return None
        lacks_id = or_(*(self._layout[name].is_(None) for name in self._layout.ids))
        asked = self._select(self._layout.read).where(lacks_id, *self._waits).limit(most)
        if from_ is None or self._layout.order is None:
            return asked
        time = self._layout[self._layout.order.column]
        return asked.where(or_(time.is_(None), time >= given(from_)))

    def page(self, walk: Walk, border: Sequence[Any] | None, most: int, names: Sequence[str]) -> Select[Any]:
        """The rows at `border` and behind it; a border may be shorter than the walk's keys."""
        keys = [self._layout[name] for name in walk.keys]
        asked = self._select(names).where(*walk.where).order_by(*keys).limit(most)
        return asked if border is None else asked.where(_from(keys[: len(border)], border))

    def one(self, ids: Sequence[Any]) -> Select[Any]:
        """The row, or rows, with this id."""
        same = [self._layout[name] == given(value) for name, value in zip(self._layout.ids, ids, strict=True)]
        return self._select(self._layout.read).where(*same, *self._waits)

    def _select(self, names: Sequence[str]) -> Select[Any]:
        return select(*(self._layout[name] for name in names)).select_from(self._layout.table)


def given(value: Any) -> ColumnElement[Any]:
    """A value as a parameter whose type is the column's affair."""
    return bindparam(None, value, type_=NullType(), unique=True)


def _waits(layout: Layout, status: StatusSettings | None) -> tuple[Condition, ...]:
    if status is None or layout.state is None:
        return ()
    column = layout[layout.state]
    return (
        or_(
            *(
                column.is_(None) if mark is None else column == given(mark)
                for mark in map(spell_mark, status.pending)
            )
        ),
    )


def _from(keys: Sequence[ColumnElement[Any]], values: Sequence[Any]) -> Condition:
    """This place or a later one. The first comparison stands alone, so that an index can be used."""
    first = keys[0] >= given(values[0])
    if len(values) == 1:
        return first
    return and_(first, or_(keys[0] > given(values[0]), _from(keys[1:], values[1:])))
