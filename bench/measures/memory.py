"""Resident memory while appeals go through, and whether it grows with their number."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import limit
from bench.hub import prepared, running
from bench.watching import wait_for_arrival
from bench.work import UNITS, HubAt, source

STEPS = 3


@dataclass(frozen=True)
class Memory:
    """Megabytes, at each third of the way."""

    items: int
    thirds: tuple[float, ...]
    most: float
    """The peak, wherever it was."""

    @property
    def growth(self) -> float:
        """The end against the first third."""
        return self.thirds[-1] / self.thirds[0]


def memory(amqp: str, items: int) -> Memory:
    """Resident memory of a hub on SQLite that takes so many items in."""
    limit.declare(amqp, UNITS)
    with tempfile.TemporaryDirectory() as folder, source(items) as at:
        config = prepared(HubAt(Path(folder), amqp=amqp, source_url=at.url))
        thirds = []
        with running(config) as hub:
            for step in range(1, STEPS + 1):
                wait_for_arrival(amqp, items * step // STEPS)
                thirds.append(hub.rss_mb)
            most = hub.peak_mb
    limit.declare(amqp, UNITS)
    return Memory(items, tuple(thirds), most)
