"""
Two batches of a round at once: while the ledger writes one, the next is fetched and worked out.

Writing waits for the disk and the database; working out keeps the interpreter busy. Batches are written in
the order they came, each only after the one before is safe, so the cursor never runs ahead. What is
looked up for a batch may be a batch old; the ledger notices by the appeals' versions, and such a
batch is worked out again.

After an error nothing more is written: what was worked out ahead is thrown away, and fetched again.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from router.message import Acceptance, Batch

Begin = Callable[[Batch], Callable[[], Acceptance]]
"""Work a batch out; what comes back records it, once, and from any thread. Both raise LedgerUnavailable."""
Written = list[tuple[Batch, Acceptance]]


class Overlapping:
    """For one round, on the round's thread. Leaving it waits for the write under way."""

    def __init__(self, begin: Begin, name: str) -> None:
        self._begin = begin
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._under_way: tuple[Batch, Future[Acceptance]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.shutdown(wait=True)

    def put(self, batch: Batch) -> Written:
        """Take a batch; what is safe by now. An error of the write before is raised here."""
        record = self._begin(batch)
        written = self.finish()
        self._under_way = batch, self._writer.submit(record)
        return written

    def finish(self) -> Written:
        """Wait for the write under way."""
        if self._under_way is None:
            return []
        batch, written = self._under_way
        self._under_way = None
        return [(batch, written.result())]
