"""
Pushes that come at the same time share one transaction.

A commit waits for the disk, whatever it holds; one for each push would let a source push as often a
second as the disk turns. The first to come is committed at once; whoever comes while it is goes into
the next commit, all together. So nobody waits for a timer, and a lone push is as quick as before. It is
the event loop that gathers: a thread is woken once for a commit, and not once for each push.

A crash before the commit leaves nothing of any of them, and none was told yes.
"""

from __future__ import annotations

import asyncio
from collections import deque

import anyio
import anyio.to_thread

from router.message import Acceptance, Accepted, Batch
from router.ports import Accept

Waiting = tuple[Batch, asyncio.Future[Acceptance]]
MOST = 200
"""Envelopes in one transaction: a page's worth."""


class Gathering:
    """An `Accept` for one event loop; each is told its own, and an error is raised to all it concerns."""

    def __init__(self, accept: Accept, threads: anyio.CapacityLimiter) -> None:
        self._accept = accept
        self._threads = threads
        self._waiting: dict[str, deque[Waiting]] = {}
        """By source; there are as many as sources, and they stay."""
        self._committing: dict[str, asyncio.Task[None]] = {}
        """By source, while there is something to commit."""

    async def __call__(self, batch: Batch) -> Acceptance:
        """Record the batch; returns after COMMIT."""
        if batch.cursor is not None or batch.replaces is not None:
            return await self._recorded(batch)
        told: asyncio.Future[Acceptance] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(batch.source, deque())
        waiting.append((batch, told))
        if batch.source not in self._committing:
            self._committing[batch.source] = asyncio.create_task(self._commit_all(batch.source, waiting))
        return await told

    async def _commit_all(self, source: str, waiting: deque[Waiting]) -> None:
        try:
            while waiting:
                await self._commit(_next(waiting))
        finally:
            del self._committing[source]

    async def _commit(self, gathered: list[Waiting]) -> None:
        batches = [batch for batch, _ in gathered]
        waiters = [told for _, told in gathered]
        try:
            accepted = await self._recorded(_together(batches))
        except BaseException as error:  # whoever waits must learn of it, whatever it is
            for told in waiters:
                if not told.done():  # its request may have been given up
                    told.set_exception(error)
            if not isinstance(error, Exception):
                raise  # the loop is ending
            return
        for told, own in zip(waiters, _apart(accepted.items, batches), strict=True):
            if not told.done():
                told.set_result(Acceptance(items=own))

    async def _recorded(self, batch: Batch) -> Acceptance:
        return await anyio.to_thread.run_sync(self._accept, batch, limiter=self._threads)


def _next(waiting: deque[Waiting]) -> list[Waiting]:
    """The first of those who wait, up to MOST envelopes."""
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
