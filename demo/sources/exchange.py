"""
A service centre's exchange table (前置库): its own program writes rows, the hub reads and marks them.

The table is a SQLite file that both open, as both would open a server's database. A row is handed out
once it was marked as taken. A later version overwrites the row and puts it up again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from demo.plan import Item
from demo.record import Record, handed_out
from demo.sources.shelf import Moment, Progress
from demo.sources.sst import TIME_FORM
from demo.sources.sst_words import supplement

LOOK_EVERY = 0.2
PENDING, TAKEN = "0", "1"
OPEN, WITHDRAWN = "1", "9"
KINDS = {"consultation": 1, "suggestion": 2, "complaint": 3, "help": 4, "report": 5, "praise": 6}
TABLE = """
CREATE TABLE IF NOT EXISTS QiyeSuqiu (
    SourceID TEXT PRIMARY KEY, Serialnumber TEXT, Reaction_People TEXT, Reaction_Company TEXT,
    Contact_Phone TEXT, Summary_Title TEXT, Summary TEXT, Types INTEGER, Reaction_Date TEXT,
    Update_Date TEXT, AreaCode TEXT, Address TEXT, SponsorID TEXT, Edition INTEGER,
    Standing TEXT, TakeState TEXT)
"""
_WRITE = f"INSERT OR REPLACE INTO QiyeSuqiu VALUES ({','.join('?' * 16)})"
_TAKEN = f"SELECT SourceID, Edition FROM QiyeSuqiu WHERE TakeState = '{TAKEN}'"


@dataclass
class _Row:
    item: Item
    version: int = 1


class Exchange:
    """Writes in waves, and looks what was taken. `run` in a thread of its own."""

    def __init__(
        self, path: Path, items: Sequence[Item], record: Record, *, wave: int, moment: Moment
    ) -> None:
        self._path = path
        self._waiting = list(reversed(items))
        self._open: dict[str, _Row] = {}
        """Put up and not yet seen as taken."""
        self._record = record
        self._wave = wave
        self._moment = moment
        self._planned = sum(item.versions for item in items)
        self._handed_out = 0
        with closing(self._connect()) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(TABLE)
            database.commit()

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.turn()
            stop.wait(LOOK_EVERY)

    def turn(self) -> None:
        """Write down what was taken, put up what comes after it, and the next wave."""
        with closing(self._connect()) as database:
            taken = {key: edition for key, edition in database.execute(_TAKEN) if key in self._open}
            again = [
                self._next(self._open.pop(key)) for key, edition in taken.items() if self._is(key, edition)
            ]
            fresh = [_Row(self._waiting.pop()) for _ in range(min(self._wave, len(self._waiting)))]
            put_up = [row for row in (*again, *fresh) if row is not None]
            database.executemany(_WRITE, [_columns(row, self._moment()) for row in put_up])
            database.commit()
        self._open |= {row.item.id: row for row in put_up}

    def progress(self) -> Progress:
        # What is marked as taken is in the ledger: no further look of the hub's is needed.
        listings = 2 if self._handed_out == self._planned else 0
        return Progress(self._planned, self._handed_out, listings)

    def _is(self, key: str, edition: int) -> bool:
        return self._open[key].version == edition

    def _next(self, row: _Row) -> _Row | None:
        """The version is handed out; what follows it, if anything does."""
        self._handed_out += 1
        self._record.write(handed_out("exchange", row.item.id, row.version, row.item.fate))
        return _Row(row.item, row.version + 1) if row.version < row.item.versions else None

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=20)


def _columns(row: _Row, now: datetime) -> tuple[object, ...]:
    item, filled = row.item, row.item.filled
    changed = item.changes[: row.version - 1]
    content = None if item.fate == "dead" else filled.content + supplement(changed)
    at = now.strftime(TIME_FORM)
    return (
        item.id, f"QF{item.id}", filled.person, filled.firm, f"{filled.mobile}/{filled.landline}",
        filled.title, content, KINDS[item.text.kind], at, at, filled.region, filled.place, "",
        row.version, WITHDRAWN if "withdrawal" in changed else OPEN, PENDING,
    )  # fmt: skip
