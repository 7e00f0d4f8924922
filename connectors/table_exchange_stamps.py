"""
The time columns of a table: moments out of what a driver hands over, and back into what it compares with.

A watermark is only as good as the order of its column. A text that would be written otherwise (not
padded, another separator) does not sort like the time it says, so it is no stamp here and moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any, Literal

from sqlalchemy import Date, DateTime
from sqlalchemy.types import TypeEngine

from connectors.times import read_time, write_time

Kind = Literal["naive", "aware", "date", "text"]
"""What the driver hands over and takes: a datetime without or with a zone, a date, or text or a number."""

_YEARS = range(1990, 2201)
"""Zero dates, `infinity` and slips of the pen are no times to go by."""


def kind_of(dialect: str, column_type: TypeEngine[Any]) -> Kind:
    """By what the database says of the column; SQLite has no times, whatever the declaration."""
    if dialect == "sqlite":
        return "text"
    if isinstance(column_type, DateTime):
        return "aware" if getattr(column_type, "timezone", False) else "naive"
    return "date" if isinstance(column_type, Date) else "text"


@dataclass(frozen=True, slots=True)
class Stamp:
    """One time column."""

    column: str
    kind: Kind
    formats: Sequence[str]
    """For text and numbers; the first one writes."""
    zone: tzinfo

    def read(self, value: object) -> datetime | None:
        """The moment, aware UTC; None when it is none to go by."""
        if isinstance(value, datetime):
            if value.year not in _YEARS:
                return None
            return (value if value.tzinfo else value.replace(tzinfo=self.zone)).astimezone(UTC)
        if isinstance(value, date):
            return self.read(datetime.combine(value, time()))
        return read_time(value, self.formats, self.zone)

    def read_sorted(self, value: object) -> datetime | None:
        """The same, but a text only as this column would be written: others do not sort like their time."""
        moment = self.read(value)
        if moment is not None and isinstance(value, str) and value != self._written(moment):
            return None
        return moment

    def write(self, moment: datetime) -> object:
        """What to compare the column with."""
        local = moment.astimezone(self.zone)
        if self.kind == "date":
            return local.date()
        if self.kind == "text":
            written = self._written(moment)
            return int(written) if self.formats[0].startswith("epoch") else written
        return local if self.kind == "aware" else local.replace(tzinfo=None)

    def _written(self, moment: datetime) -> str:
        return write_time(moment, self.formats[0], self.zone)
