"""
Quarterly tables: which quarter a day lies in, when its tables are due, where a unit stands (R9).

Days are Shanghai's. The notice names no day by which tables are due: it is configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")
Standing = Literal["received", "nil", "late", "awaited", "missing"]
"""`nil`: a table that says there was nothing; `awaited`: neither there nor due; `late`: after its day."""
_NAME = re.compile(r"^(\d{4})Q([1-4])$")


@dataclass(frozen=True, slots=True)
class Quarter:
    year: int
    number: int

    @classmethod
    def named(cls, name: str) -> Quarter:
        """From `2026Q3`. Raises ValueError."""
        found = _NAME.match(name)
        if found is None:
            raise ValueError(f"{name!r} is no quarter; write it like 2026Q3")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, moment: datetime) -> Quarter:
        """The one that this moment lies in."""
        day = moment.astimezone(LOCAL)
        return cls(day.year, (day.month + 2) // 3)

    @property
    def name(self) -> str:
        return f"{self.year}Q{self.number}"

    @property
    def before(self) -> Quarter:
        return Quarter(self.year, self.number - 1) if self.number > 1 else Quarter(self.year - 1, 4)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        year, month = (self.year, self.number * 3 + 1) if self.number < 4 else (self.year + 1, 1)
        return datetime(year, month, 1, tzinfo=LOCAL)

    def due(self, within: timedelta) -> datetime:
        """The first moment at which its tables are late."""
        return self.end + within


def standing(first_at: datetime | None, rows: int, *, due: datetime, now: datetime) -> Standing:
    """`first_at`: when the unit's table for this quarter first came; None when it has not."""
    if first_at is None:
        return "missing" if now >= due else "awaited"
    if first_at >= due:
        return "late"
    return "received" if rows else "nil"
