"""
Two batches of a round at once: while the ledger writes one, the next is fetched and worked out.

Writing waits for the disk and the database; working out keeps the interpreter busy. Batches are written in
the order they came, each only after the one before is safe, so the cursor never runs ahead. What is
looked up for a batch may be a batch old; the ledger notices by the appeals' versions, and such a
batch is worked out again.

After an error nothing more is written: what was worked out ahead is thrown away, and fetched again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from types import TracebackType
from typing import Self

from router.message import Acceptance, Batch

Record = Callable[[], Acceptance]
Begin = Callable[[Batch], Record]
"""Work a batch out; what comes back records it, once, and from any thread. Both raise LedgerUnavailable."""
Written = list[tuple[Batch, Acceptance]]


class Overlapping:
    """For one round, on the round's thread. Leaving it waits for the write under way."""

    def __init__(self, begin: Begin, name: str) -> None:
        self._begin = begin
        self._name = name
        self._under_way: tuple[Batch, Future[Acceptance]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._under_way is not None:
            wait([self._under_way[1]])

    def put(self, batch: Batch) -> Written:
        """Take a batch; what is safe by now. An error of the write before is raised here."""
        record = self._begin(batch)
        written = self.finish()
        self._under_way = batch, self._writing(record)
        return written

    def finish(self) -> Written:
        """Wait for the write under way."""
        if self._under_way is None:
            return []
        batch, written = self._under_way
        self._under_way = None
        return [(batch, written.result())]

    def _writing(self, record: Record) -> Future[Acceptance]:
        """In a thread that does not keep a process alive whose database never answers: no pool's does."""
        told: Future[Acceptance] = Future()

        def write() -> None:
            try:
                told.set_result(record())
            except BaseException as error:  # told to whoever waits for it
                told.set_exception(error)

        threading.Thread(target=write, name=self._name, daemon=True).start()
        return told
