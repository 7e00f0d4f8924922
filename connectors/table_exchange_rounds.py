"""
One polling round: which rows are walked, how they are cut into batches, how far the cursor moves.

With a status the table itself keeps the account; its cursor is never asked. With a watermark the
cursor is the latest change time among the rows that were read in order and are not in the future.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from connectors.rest_progress import Progress
from connectors.table_exchange_layout import Layout
from connectors.table_exchange_reading import Reader
from connectors.table_exchange_rows import Envelopes, Handed, Row
from connectors.table_exchange_settings import WatermarkSettings
from connectors.table_exchange_stamps import Stamp
from router import jsontext
from router.errors import MalformedEnvelope, SourceRefused
from router.message import Batch, Cursor, Envelope
from router.ports import Clock

BATCH = 200
"""Envelopes in one batch: one transaction's worth."""
REMEMBERED = 10_000
"""Rows that were handed out and can still be marked; older ones are read again."""
UNSTAMPED = 2000
"""Rows without a time that a round with a watermark reads, about; the next round goes on behind them."""
UNSTAMPED_KEY = "unstamped"


class Round:
    """Made when the source is opened, thrown away when it is closed."""

    def __init__(self, source: str, layout: Layout, reader: Reader, clock: Clock, now: datetime) -> None:
        """`now` is by their clock or ours, whichever is behind: what is younger moves no cursor."""
        self._source = source
        self._layout = layout
        self._reader = reader
        self._clock = clock
        self._now = now
        self._envelopes = Envelopes(source, layout.ids)
        self._handed: OrderedDict[str, Handed] = OrderedDict()

    def by_status(self, after: Cursor | None) -> Iterator[Batch]:
        """Everything that waits."""
        progress = Progress.begin(after, None)
        for pages in (self._reader.nameless(), self._reader.unstamped(), self._reader.stamped()):
            for rows in _in_batches(pages):
                envelopes = self._envelopes_of(rows)
                for envelope in envelopes:
                    progress.saw(envelope.updated_at, self._now)
                yield Batch(source=self._source, envelopes=envelopes)
        # For people to look at. What a round usually brings is left out: that nothing waits is no silence.
        reached = progress.cursor(is_end=True).get("time")
        if reached and reached != (after or {}).get("time"):
            yield Batch(source=self._source, envelopes=(), cursor={"time": reached})

    def by_watermark(self, watermark: WatermarkSettings, after: Cursor | None) -> Iterator[Batch]:
        """What changed since the cursor minus the overlap, and some of what says no time."""
        order = self._layout.order
        assert order is not None
        progress = Progress.begin(after, watermark.start)
        from_ = _window_start(progress, watermark, order)
        for rows in _in_batches(self._reader.nameless(from_)):
            yield self._batch(rows, progress)
        reached = yield from self._unstamped(progress, _ids_in(after))
        read = usable = 0
        for rows in _in_batches(self._reader.stamped(from_)):
            stamps = [order.read_sorted(row.key[0]) for row in rows]
            read, usable = read + len(rows), usable + len([stamp for stamp in stamps if stamp])
            batch = self._batch(rows, progress, stamps)
            yield batch.model_copy(update={"cursor": progress.cursor(is_end=False) | reached})
        if read and not usable:
            raise SourceRefused(
                f"{self._source}: no row has a usable time in {order.column}; set watermark.format, which is "
                f"{watermark.format} now, or use status"
            )
        yield Batch(source=self._source, envelopes=(), cursor=progress.cursor(is_end=True) | reached)

    def handed(self, batch: Batch) -> dict[str, Handed]:
        """The rows behind a batch's envelopes, by source id, as far as they have an id to be found by."""
        ids = [envelope.source_id for envelope in batch.envelopes]
        return {one: self._handed[one] for one in ids if one in self._handed}

    def _unstamped(
        self, progress: Progress, after: Sequence[Any] | None
    ) -> Generator[Batch, None, dict[str, str]]:
        """Some rows that say no time, from where the last round stopped; what to keep for the next one."""
        count = 0
        for rows in _in_batches(self._reader.unstamped(after)):
            yield self._batch(rows, progress)
            count += len(rows)
            ids = rows[-1].ids
            if count >= UNSTAMPED and all(isinstance(part, (str, int)) for part in ids):
                return {UNSTAMPED_KEY: jsontext.dumps(ids).decode()}
        return {}

    def _batch(
        self, rows: Sequence[Row], progress: Progress, stamps: Sequence[datetime | None] | None = None
    ) -> Batch:
        for stamp in stamps or [None] * len(rows):
            progress.saw(stamp, self._now)
        return Batch(source=self._source, envelopes=self._envelopes_of(rows))

    def _envelopes_of(self, rows: Sequence[Row]) -> tuple[Envelope, ...]:
        updated, made, now = self._layout.updated, [], self._clock()
        for row in rows:
            made.append(self._envelopes.of(row, updated.read(row.stamp) if updated else None, now))
            if self._layout.state and None not in row.ids:
                self._handed[made[-1].source_id] = Handed(row.ids, row.state, row.stamp)
        while len(self._handed) > REMEMBERED:
            self._handed.popitem(last=False)
        return tuple(made)


def _window_start(progress: Progress, watermark: WatermarkSettings, order: Stamp) -> object | None:
    if progress.newest is None:
        return None
    start = progress.newest - watermark.overlap
    return order.write(max(start, watermark.start) if watermark.start else start)


def _in_batches(pages: Iterable[Sequence[Row]]) -> Iterator[Sequence[Row]]:
    for page in pages:
        for place in range(0, len(page), BATCH):
            yield page[place : place + BATCH]


def _ids_in(cursor: Cursor | None) -> list[Any] | None:
    try:
        ids = jsontext.loads((cursor or {}).get(UNSTAMPED_KEY, "null"))
    except MalformedEnvelope:
        return None
    return ids if isinstance(ids, list) and ids else None
