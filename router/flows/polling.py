"""
Polling: one thread per polled source, round after round.

A round opens the source, walks its batches, has each recorded and only then acknowledged; a source
that does not wait for that goes on meanwhile (overlapping.py). The cursor moves in the transaction of
the batch it follows, so a round that breaks off anywhere is simply continued by the next one. Of several
intake processes, the one that holds the source's lease polls it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from router.crashpoints import crashpoint
from router.errors import HubError, LedgerUnavailable, SourceRefused, TransientError, told
from router.events import FeedSilent, Observer, RoundFailed, RoundFinished
from router.flows.overlapping import Begin, Overlapping, Written
from router.message import Cursor
from router.ports import Clock, Source

REFUSED_PAUSE = timedelta(minutes=5)
"""A source that refuses us is asked again rarely: someone has to change a password first."""
SHORTEST_HOLD = timedelta(seconds=45)
"""How long a dead process keeps a source from being polled; renewed when a third of it is over. Two that poll
at once do no harm: the ledger recognises what both bring."""
LONGEST_PAUSE = timedelta(minutes=10)
USUAL = "usual"
"""Cursor key under which a connector counts what a round usually brings."""


class Leases(Protocol):
    def take(self, name: str, now: datetime, hold: timedelta) -> bool:
        """Take or renew; False while another process holds it."""

    def give_back(self, name: str, now: datetime) -> None:
        """Let the next one have it at once."""


@dataclass(frozen=True, slots=True)
class PollingTools:
    begin: Begin
    cursor: Callable[[str], Cursor | None]
    leases: Leases
    clock: Clock
    announce: Observer


class Polling:
    """Polls one source until told to stop."""

    def __init__(self, source: Source, every: timedelta, tools: PollingTools) -> None:
        self._source = source
        self._every = every
        self._tools = tools
        self._failures = 0
        self._hold = max(every * 3, SHORTEST_HOLD)

    def run(self, stop: threading.Event) -> None:
        """One round, one pause, until stopped; a round under way stops between two batches."""
        name = f"poll:{self._source.name}"
        while not stop.is_set():
            pause = self._every
            try:
                if self._tools.leases.take(name, self._tools.clock(), self._hold):
                    pause = self.round(stop)
            except Exception as error:  # the edge of this flow: the source is asked again later
                pause = self._failed(error)
            stop.wait(pause.total_seconds())
        with suppress(LedgerUnavailable):  # it ends by itself
            self._tools.leases.give_back(name, self._tools.clock())

    def round(self, stop: threading.Event) -> timedelta:
        """One polling round; how long to pause after it. Announces how it went."""
        began = self._tools.clock()
        counts: Counter[str] = Counter()
        try:
            self._walk(stop, counts)
        except HubError as error:
            return self._failed(error)
        self._failures = 0
        now = self._tools.clock()
        fetched = counts.total()
        self._tools.announce(
            RoundFinished(now, self._source.name, fetched, now - began, tuple(sorted(counts.items())))
        )
        return self._every

    def _walk(self, stop: threading.Event, counts: Counter[str]) -> None:
        tools, source = self._tools, self._source
        before = tools.cursor(source.name)
        renewed = tools.clock()
        with source.open(), Overlapping(tools.begin, f"write-{source.name}") as writing:
            for batch in source.fetch(before):
                self._taken(writing.put(batch), counts)
                if not source.goes_ahead:
                    self._taken(writing.finish(), counts)
                if tools.clock() - renewed > self._hold / 3:
                    renewed = tools.clock()
                    tools.leases.take(f"poll:{source.name}", renewed, self._hold)
                if stop.is_set():
                    break
            self._taken(writing.finish(), counts)
        if not stop.is_set():
            self._notice_silence(before, counts)

    def _taken(self, written: Written, counts: Counter[str]) -> None:
        """Whatever is safe by now is the source's to forget."""
        for batch, acceptance in written:
            counts.update(item.outcome for item in acceptance.items)
            self._source.acknowledge(batch, acceptance)
            crashpoint("intake.after_acknowledge")

    def _notice_silence(self, before: Cursor | None, counts: Counter[str]) -> None:
        usual = int((before or {}).get(USUAL, "0") or 0)
        if usual and not counts:
            self._tools.announce(FeedSilent(self._tools.clock(), self._source.name, usual))

    def _failed(self, error: Exception) -> timedelta:
        """Announce it, and pause longer with every failure in a row."""
        self._failures += 1
        paused = isinstance(error, SourceRefused)
        pause = (
            REFUSED_PAUSE if paused else min(self._every * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE)
        )
        if isinstance(error, TransientError) and error.retry_after is not None:
            pause = min(max(error.retry_after, self._every), LONGEST_PAUSE)
        now = self._tools.clock()
        self._tools.announce(RoundFailed(now, self._source.name, told(error), pause, paused))
        return pause
