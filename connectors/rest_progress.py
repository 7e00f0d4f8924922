"""
How far a source has been read, on the source's own clock.

The cursor is the latest change time seen in an item. A time in the source's future never moves it,
an empty answer never moves it, and it never goes back. Whether it may move before the end of a round
depends on the list: only where each page is younger than the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from router.message import Cursor

CLOCK_SLACK = timedelta(minutes=1)
"""How far an item may be ahead of the source's Date header and still move the cursor."""
FORGETS = 8
"""The usual number of items is a running mean over about so many rounds."""


@dataclass
class Progress:
    """What one round adds to the cursor it began with."""

    newest: datetime | None
    mean: float = 0.0
    fetched: int = 0
    is_sorted: bool = True
    """No item so far was older than the one before it."""
    _before: datetime | None = None

    @classmethod
    def begin(cls, after: Cursor | None, since: datetime | None) -> Progress:
        """Go on from a cursor; a cursor that cannot be read is none, and everything is read again."""
        written = after or {}
        return cls(_time(written) or since, _mean(written))

    def walk_again(self) -> None:
        """The list is read from its first page once more."""
        self._before = None

    def saw(self, updated: datetime | None, source_now: datetime) -> None:
        """One item was read."""
        self.saw_all((updated,), source_now)

    def saw_all(self, updated: Sequence[datetime | None], source_now: datetime) -> None:
        """Items were read, in this order."""
        self.fetched += len(updated)
        latest, before, newest = source_now + CLOCK_SLACK, self._before, self.newest
        for moment in updated:
            if moment is None or moment > latest:
                continue
            if before is not None and moment < before:
                self.is_sorted = False
            if newest is None or moment > newest:
                newest = moment
            before = moment
        self._before, self.newest = before, newest

    def cursor(self, *, is_end: bool) -> dict[str, str]:
        """The position as the ledger keeps it. `usual` tells the intake when an empty round is odd."""
        mean = self.mean + (self.fetched - self.mean) / FORGETS if is_end else self.mean
        position = {"usual": str(round(mean)), "mean": f"{mean:.2f}"}
        if self.newest is not None:
            position["time"] = self.newest.astimezone(UTC).isoformat()
        return position


def _time(written: Mapping[str, str]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written.get("time", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _mean(written: Mapping[str, str]) -> float:
    said = written.get("mean", written.get("usual", ""))
    try:
        return min(max(0.0, float(said)), 1e9)  # in this order, which makes "nan" 0
    except ValueError:
        return 0.0
