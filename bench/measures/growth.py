"""What an appeal costs when the ledger already holds many: the whole way, in a hub of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import limit
from bench.hub import prepared, running
from bench.measures.filling import multiply
from bench.watching import wait_for_arrival
from bench.work import UNITS, HubAt, source

BASE = 2000
"""Appeals that are made in the real way before they are multiplied."""
ITEMS = 5000
ROUNDS = 2
FAR = 10_000_000
"""Where the numbers of measured items begin, far from those of the appeals that lie there."""
LEDGER = "suqiu.db"
"""The file, in the folder."""


@dataclass(frozen=True)
class Cost:
    """Microseconds an item, with so many appeals in the ledger before."""

    held: int
    wall: float
    cpu: float


def costs(amqp: str, folder: Path, sizes: Sequence[int], say: Callable[[str], None]) -> list[Cost]:
    """The best of some rounds for each size, in one new ledger in this folder, which stays."""
    found = []
    _through(amqp, folder, BASE, 0)
    for number, size in enumerate(sizes, 1):
        held = multiply(folder / LEDGER, BASE, size)
        rounds = [_through(amqp, folder, ITEMS, FAR * number + ITEMS * turn) for turn in range(ROUNDS)]
        found.append(Cost(held, min(wall for wall, _ in rounds), min(cpu for _, cpu in rounds)))
        say(f"   with {held} appeals: {found[-1].wall:.0f} µs an item, {found[-1].cpu:.0f} of them CPU")
    return found


def growth(found: Sequence[Cost]) -> float:
    """The dearest of the larger ledgers against the smallest one; time and CPU, whichever is worse."""
    first = found[0]
    return max(max(cost.wall / first.wall, cost.cpu / first.cpu) for cost in found[1:])


def draw(found: Sequence[Cost], file: Path) -> None:
    """The curve as a PNG."""
    # Only the bench's own environment has it; types are checked in the other one.
    import matplotlib  # type: ignore[import-not-found, unused-ignore]

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), dpi=100)
    axes.plot([cost.held for cost in found], [cost.wall for cost in found], "o-", label="time")
    axes.plot([cost.held for cost in found], [cost.cpu for cost in found], "s--", label="CPU of the hub")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("appeals already in the ledger")
    axes.set_ylabel("µs per item")
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
