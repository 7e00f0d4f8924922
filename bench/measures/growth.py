"""
What an appeal costs when the ledger already holds many: the whole way, in a hub of its own.

The machine's speed drifts within minutes by more than what is looked for, so a ledger of the smallest size
is measured in turn with each larger one, and only these two are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copy

from bench import limit
from bench.hub import prepared, running
from bench.measures.filling import multiply
from bench.watching import wait_for_arrival
from bench.work import UNITS, HubAt, source

BASE = 2000
"""Appeals that are made in the real way before they are multiplied."""
ITEMS = 5000
FAR = 2_000_000
"""Where the numbers of measured items begin, far from those of the appeals that lie there."""
LEDGER = "suqiu.db"
"""The file, in the folder."""
SMALL = "small"
"""The folder, in the folder, of the smallest ledger."""


@dataclass(frozen=True)
class Cost:
    """Microseconds an item, with so many appeals in the ledger before; and in the small ledger, in turn."""

    held: int
    wall: float
    cpu: float
    small_wall: float
    small_cpu: float

    @property
    def growth(self) -> float:
        """Time or CPU, whichever is worse."""
        return max(self.wall / self.small_wall, self.cpu / self.small_cpu)


def costs(
    amqp: str, folder: Path, sizes: Sequence[int], rounds: int, say: Callable[[str], None]
) -> list[Cost]:
    """The best of some rounds for each size, in one new ledger in this folder, which stays."""
    small = folder / SMALL
    small.mkdir()
    _through(amqp, small, BASE, 0)
    multiply(small / LEDGER, BASE, BASE)  # nothing of it is left in SQLite's log
    copy(small / LEDGER, folder)
    multiply(small / LEDGER, BASE, sizes[0])
    found = []
    first = FAR
    for size in sizes:
        held = multiply(folder / LEDGER, BASE, size)
        beside, here = [], []
        for _ in range(rounds):
            first += ITEMS
            beside.append(_through(amqp, small, ITEMS, first))
            here.append(_through(amqp, folder, ITEMS, first))
        found.append(Cost(held, *_best(here), *_best(beside)))
        say(f"   with {held} appeals: {found[-1].wall:.0f} µs an item, {found[-1].growth:.2f} times")
    return found


def _best(rounds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min(wall for wall, _ in rounds), min(cpu for _, cpu in rounds)


def growth(found: Sequence[Cost]) -> float:
    """The dearest of the larger ledgers against the smallest one."""
    return max(cost.growth for cost in found[1:])


def draw(found: Sequence[Cost], file: Path) -> None:
    """The curve as a PNG."""
    # Only the bench's own environment has it; types are checked in the other one.
    import matplotlib  # type: ignore[import-not-found, unused-ignore]

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), dpi=100)
    held = [cost.held for cost in found]
    axes.plot(held, [cost.wall / cost.small_wall for cost in found], "o-", label="time")
    axes.plot(held, [cost.cpu / cost.small_cpu for cost in found], "s--", label="CPU of the hub")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("appeals already in the ledger")
    axes.set_ylabel(f"cost of an item: times that with {held[0]}")
    axes.legend()
    figure.tight_layout()
    figure.savefig(file)


def _through(amqp: str, folder: Path, items: int, first: int) -> tuple[float, float]:
    """Let items through a hub on this ledger; time and CPU for each, in microseconds."""
    limit.declare(amqp, UNITS)
    with source(items, first) as at:
        config = prepared(HubAt(folder, amqp=amqp, source_url=at.url))
        with running(config) as hub:
            began, used = at.began(), hub.cpu_seconds
            ended = wait_for_arrival(amqp, items, first=first)
            used = hub.cpu_seconds - used
    limit.declare(amqp, UNITS)
    return (ended - began) / items * 1e6, used / items * 1e6
