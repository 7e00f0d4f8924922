"""
What one outside system shows when it is asked: which appeals are there by now, and in which version.

Appeals turn up in waves. A later version turns up only when the one before was handed out and a fresh
listing was begun since. Whoever was killed in the middle of the first has then read it again in the
second: so each version is taken once at least, and a kill does not change what becomes of an appeal.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.plan import Item
from demo.record import Record, handed_out

Moment = Callable[[], datetime]
SHARED = 3
"""So many rows have the same second, as happens in life: a cursor by time alone would lose some."""
DAY_LASTS = timedelta(hours=9)


@dataclass(frozen=True, slots=True)
class Row:
    """One appeal as it stands in the system now."""

    item: Item
    version: int
    updated: datetime
    glances: int = 0
    """A counter that changes without anything having changed."""


def ticking(start: datetime, looks: int) -> Moment:
    """A source's own clock, which moves only when it is looked at; so many looks make a day."""
    count = itertools.count()
    step = DAY_LASTS / max(1, looks)
    return lambda: (start + step * (next(count) // SHARED * SHARED)).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the handing out is."""

    planned: int
    handed_out: int
    listings_since: int
    """Fresh listings that began after the last thing had been handed out."""

    @property
    def is_exhausted(self) -> bool:
        return self.handed_out == self.planned


class Shelf:
    """Thread-safe."""

    def __init__(
        self, source: str, items: Sequence[Item], record: Record, *, wave: int, moment: Moment
    ) -> None:
        self._source = source
        self._waiting = list(reversed(items))
        self._record = record
        self._wave = wave
        self._moment = moment
        self._rows: dict[str, Row] = {}
        self._ripening: list[Row] = []
        """What changes in two looks' time: the version before was handed out, and perhaps not read."""
        self._ripe: list[Row] = []
        self._done: set[tuple[str, int, int]] = set()
        self._planned = sum(item.versions + item.touched for item in items)
        self._listings_since = 0
        self._lock = threading.Lock()

    def refresh(self, budget: int | None = None) -> None:
        """A fresh look begins: the next wave turns up, and what is ripe changes."""
        with self._lock:
            if len(self._done) == self._planned:
                self._listings_since += 1
            for _ in range(min(self._wave if budget is None else budget, len(self._waiting))):
                item = self._waiting.pop()
                self._rows[item.id] = Row(item, 1, self._moment())
            ripe, self._ripe, self._ripening = self._ripe, self._ripening, []
            for row in ripe:
                self._rows[row.item.id] = self._next(row)

    def _next(self, row: Row) -> Row:
        if row.item.touched and not row.glances:
            return Row(row.item, row.version, self._moment(), 1)
        return Row(row.item, row.version + 1, self._moment(), row.glances)

    def listing(self, since: datetime | None = None, until: datetime | None = None) -> list[Row]:
        """What changed in this stretch of time, oldest first; both ends belong to it."""
        with self._lock:
            rows = [
                row
                for row in self._rows.values()
                if (since is None or row.updated >= since) and (until is None or row.updated <= until)
            ]
        return sorted(rows, key=lambda row: (row.updated, row.item.number))

    def find(self, source_id: str) -> Row | None:
        with self._lock:
            return self._rows.get(source_id)

    def handed_out(self, rows: Sequence[Row]) -> None:
        """Write down what left; a row that stands twice in it is a repeat of our own making."""
        seen: set[str] = set()
        lines = []
        with self._lock:
            for row in rows:
                lines.append(self._line(row, is_repeat=row.item.twice and row.item.id in seen))
                seen.add(row.item.id)
                mark = (row.item.id, row.version, row.glances)
                if mark not in self._done:
                    self._done.add(mark)
                    if (row.item.touched and not row.glances) or row.version < row.item.versions:
                        self._ripening.append(row)
            self._record.write(*lines)

    def _line(self, row: Row, *, is_repeat: bool) -> dict[str, object]:
        is_glance = bool(row.glances) and row.version == 1
        expect = "duplicate" if is_repeat or is_glance else row.item.fate
        return handed_out(self._source, row.item.id, row.version, expect)

    def progress(self) -> Progress:
        with self._lock:
            return Progress(self._planned, len(self._done), self._listings_since)
