"""
What the table looks like today: every configured name is looked up in it, at the start of each round.

Names come from the database's own answer, and SQLAlchemy quotes them; no configured text becomes SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnClause,
    Connection,
    Select,
    TableClause,
    column,
    inspect,
    literal_column,
    select,
    table,
)
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.types import NullType, TypeEngine

from connectors.table_exchange_errors import Unreadable, as_hub_errors
from connectors.table_exchange_settings import TableSettings
from connectors.table_exchange_stamps import Stamp, kind_of
from router.errors import SourceRefused

MOST_NAMES = 60
"""As many names as an error lists."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The table and the parts that its columns play."""

    table: TableClause
    body: tuple[str, ...]
    ids: tuple[str, ...]
    may_lack_id: bool
    state: str | None
    taken_at: str | None
    order: Stamp | None
    """The time that rows are read by: the watermark, or with a status the change time."""
    updated: Stamp | None

    @property
    def read(self) -> tuple[str, ...]:
        """All columns that a query asks for."""
        return tuple(dict.fromkeys([*self.body, *self.keys]))

    @property
    def keys(self) -> tuple[str, ...]:
        """What a row is found, sorted and marked by."""
        stamps = [stamp.column for stamp in (self.order, self.updated) if stamp]
        return tuple(dict.fromkeys([*self.ids, *filter(None, [self.state]), *stamps]))

    def __getitem__(self, name: str) -> ColumnClause[Any]:
        return self.table.c[name]


@dataclass(frozen=True, slots=True)
class _Found:
    type: TypeEngine[Any]
    nullable: bool = True


def look_up(connection: Connection, settings: TableSettings, where: str, zone: ZoneInfo) -> Layout:
    """Raises SourceRefused, naming what is missing and what is there instead."""
    there = _columns(connection, settings, where)
    names = _Names(there, where)
    ids = names.find_all(settings.id)
    body = (
        tuple(dict.fromkeys([*ids, *names.find_all(settings.columns)])) if settings.columns else tuple(there)
    )
    status, watermark, updated = settings.status, settings.watermark, settings.updated
    state = names.find(status.column) if status else None
    taken_at = names.find(status.taken_at) if status and status.taken_at else None
    changed = _stamp(connection, names, updated.column, updated.formats, zone) if updated else None
    order = _stamp(connection, names, watermark.column, (watermark.format,), zone) if watermark else changed
    names.refuse_missing()
    lightweight = table(settings.table, *map(column, there), schema=settings.schema_)
    may_lack_id = any(there[name].nullable for name in ids)
    return Layout(lightweight, body, ids, may_lack_id, state, taken_at, order, changed or order)


class _Names:
    """Finds configured names among those of the table, and remembers which are missing."""

    def __init__(self, there: Mapping[str, _Found], where: str) -> None:
        self.there = there
        self._where = where
        self._missing: list[str] = []

    def find(self, name: str) -> str:
        """As the table writes it: databases differ in whether case counts."""
        alike = [own for own in self.there if own.casefold() == name.casefold()]
        if name in self.there or len(alike) == 1:
            return name if name in self.there else alike[0]
        self._missing.append(name)
        return name

    def find_all(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(self.find, names))

    def refuse_missing(self) -> None:
        if self._missing:
            missing = ", ".join(dict.fromkeys(self._missing))
            raise SourceRefused(f"{self._where} has no column {missing}; it has: {_listed(self.there)}")


def _stamp(
    connection: Connection, names: _Names, configured: str, formats: tuple[str, ...], zone: ZoneInfo
) -> Stamp:
    name = names.find(configured)
    found = names.there.get(name, _Found(NullType()))
    return Stamp(name, kind_of(connection.dialect.name, found.type), formats, zone)


def _columns(connection: Connection, settings: TableSettings, where: str) -> dict[str, _Found]:
    try:
        with as_hub_errors(where), connection.begin():
            columns = inspect(connection).get_columns(settings.table, schema=settings.schema_)
            return {str(one["name"]): _Found(one["type"], bool(one.get("nullable", True))) for one in columns}
    except NoSuchTableError as error:
        raise SourceRefused(f"{where} is not there; there is: {_tables(connection, settings)}") from error
    except (SourceRefused, Unreadable):
        return _columns_by_reading(connection, settings, where)


def _columns_by_reading(connection: Connection, settings: TableSettings, where: str) -> dict[str, _Found]:
    """For accounts that may read a view and nothing else, as exchange accounts often are."""
    nothing: Select[Any] = select(literal_column("*")).select_from(
        table(settings.table, schema=settings.schema_)
    )
    try:
        with as_hub_errors(where), connection.begin():
            result = connection.execute(nothing.where(literal_column("1") == literal_column("0")))
            return {name: _Found(NullType()) for name in result.keys()}  # noqa: SIM118 (keys of a result)
    except Unreadable as error:
        raise SourceRefused(f"{where}: its columns cannot be listed ({error})") from error


def _tables(connection: Connection, settings: TableSettings) -> str:
    with as_hub_errors(settings.table), connection.begin():
        inspector = inspect(connection)
        schema = settings.schema_
        return _listed([*inspector.get_table_names(schema), *inspector.get_view_names(schema)])


def _listed(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return (", ".join(known[:MOST_NAMES]) or "nothing") + more
