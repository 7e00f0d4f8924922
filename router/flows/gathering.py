"""
Pushes that come at the same time share one transaction.

A commit waits for the disk, whatever it holds; one for each push would let a source push as often a
second as the disk turns. The first to come commits at once; whoever comes while it does waits, and the
next commit takes all of them. So nobody waits for a timer, and a lone push is as quick as before.

A crash before the commit leaves nothing of any of them, and none was told yes.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from concurrent.futures import Future

from router.message import Acceptance, Accepted, Batch
from router.ports import Accept

MOST = 200
"""Envelopes in one transaction: a page's worth."""


class Gathering:
    """An `Accept` in front of the intake's. Thread-safe; an error is raised to each whom it concerns."""

    def __init__(self, accept: Accept) -> None:
        self._accept = accept
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, deque[tuple[Batch, Future[Acceptance]]]] = defaultdict(deque)
        self._busy: set[str] = set()
        """Sources of which somebody commits now."""

    def __call__(self, batch: Batch) -> Acceptance:
        """Record the batch; returns after COMMIT."""
        if batch.cursor is not None or batch.replaces is not None:
            return self._accept(batch)
        told: Future[Acceptance] = Future()
        with self._lock:
            self._waiting[batch.source].append((batch, told))
            leads = batch.source not in self._busy
            self._busy.add(batch.source)
        while leads and (gathered := self._next(batch.source)):
            self._commit(gathered)
        return told.result()

    def _next(self, source: str) -> list[tuple[Batch, Future[Acceptance]]]:
        """Who waits, up to MOST envelopes; with nobody left the source is free for the next to come."""
        gathered: list[tuple[Batch, Future[Acceptance]]] = []
        size = 0
        with self._lock:
            waiting = self._waiting[source]
            while waiting and (not gathered or size + len(waiting[0][0].envelopes) <= MOST):
                gathered.append(waiting.popleft())
                size += len(gathered[-1][0].envelopes)
            if not gathered:
                self._busy.discard(source)
                self._waiting.pop(source)
        return gathered

    def _commit(self, gathered: list[tuple[Batch, Future[Acceptance]]]) -> None:
        batches = [batch for batch, _ in gathered]
        try:
            items = self._accept(_together(batches)).items
        except BaseException as error:  # whoever waits must learn of it, whatever it is
            for _, told in gathered:
                told.set_exception(error)
            return
        for (_, told), own in zip(gathered, _apart(items, batches), strict=True):
            told.set_result(Acceptance(items=own))


def _together(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    envelopes = tuple(envelope for batch in batches for envelope in batch.envelopes)
    return Batch(source=batches[0].source, envelopes=envelopes)


def _apart(items: tuple[Accepted, ...], batches: list[Batch]) -> list[tuple[Accepted, ...]]:
    """One for each envelope, in their order."""
    first, parts = 0, []
    for batch in batches:
        parts.append(items[first : first + len(batch.envelopes)])
        first += len(batch.envelopes)
    return parts
