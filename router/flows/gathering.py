"""
Pushes that come at the same time share one transaction.

A commit waits for the disk, whatever it holds; one for each push would let a source push as often a
second as the disk turns. The first to come commits at once; whoever comes while it does waits, and the
next commit takes all of them. So nobody waits for a timer, and a lone push is as quick as before.

A crash before the commit leaves nothing of any of them, and none was told yes.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future

from router.message import Acceptance, Accepted, Batch
from router.ports import Accept

Waiting = tuple[Batch, Future[Acceptance]]
MOST = 200
"""Envelopes in one transaction: a page's worth."""


class Gathering:
    """An `Accept` in front of the intake's. Thread-safe; an error is raised to each whom it concerns."""

    def __init__(self, accept: Accept) -> None:
        self._accept = accept
        self._waiting: dict[str, deque[Waiting]] = {}
        """By source; there are as many as sources, and they stay."""
        self._turns: dict[str, threading.Lock] = {}
        """By source: whoever holds it commits."""

    def __call__(self, batch: Batch) -> Acceptance:
        """Record the batch; returns after COMMIT."""
        if batch.cursor is not None or batch.replaces is not None:
            return self._accept(batch)
        told: Future[Acceptance] = Future()
        waiting = self._waiting.setdefault(batch.source, deque())
        waiting.append((batch, told))
        with self._turns.setdefault(batch.source, threading.Lock()):
            # Mostly somebody before us has taken ours along. Nobody commits for others only: under
            # steady load the first to come would never get to answer.
            while not told.done():
                self._commit(_next(waiting))
        return told.result()

    def _commit(self, gathered: list[Waiting]) -> None:
        batches = [batch for batch, _ in gathered]
        try:
            items = self._accept(_together(batches)).items
        except BaseException as error:  # whoever waits must learn of it, whatever it is
            for _, told in gathered:
                told.set_exception(error)
            return
        for (_, told), own in zip(gathered, _apart(items, batches), strict=True):
            told.set_result(Acceptance(items=own))


def _next(waiting: deque[Waiting]) -> list[Waiting]:
    """The first of those who wait, up to MOST envelopes. Only whoever has the turn takes."""
    gathered = [waiting.popleft()]
    size = len(gathered[0][0].envelopes)
    while waiting and size + len(waiting[0][0].envelopes) <= MOST:
        gathered.append(waiting.popleft())
        size += len(gathered[-1][0].envelopes)
    return gathered


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
