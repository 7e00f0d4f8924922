"""All measures beside the race, one after the other on the race's broker."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measures.growth import LEDGER, Cost, costs, draw, growth
from bench.measures.looking import Looked, looking
from bench.measures.memory import Memory, memory
from bench.measures.push import Latency, push_latency
from bench.measures.startup import first_poll_s
from bench.measures.stuck import stuck_queue
from bench.measures.trouble import Trouble
from bench.measures.worker import SLOW_S, worker_throughput

RATES = (50, 200)
"""Pushes a second; the bar is about the last."""
SIZES = (10_000, 100_000, 1_000_000)
CURVE = Path(__file__).parents[2] / "docs" / "growth.png"


@dataclass(frozen=True)
class Measured:
    """What was found."""

    push: tuple[Latency, ...]
    costs: tuple[Cost, ...]
    memory: Memory
    first_poll_s: float
    looked: Looked
    stuck: Trouble
    handed: Trouble

    @property
    def push_p99_ms(self) -> float:
        """As the sender sees it: waiting for our answer, and for room, is waiting too."""
        return self.push[-1].p99_from_sent

    @property
    def growth(self) -> float:
        return growth(self.costs)

    def lines(self) -> list[str]:
        """As Markdown."""
        thirds = ", ".join(f"{third:.0f}" for third in self.memory.thirds)
        return [
            *_pushes(self.push),
            "",
            f"| appeals in the ledger | µs per item | of these, CPU | times those of {SIZES[0]}: all, CPU |",
            "|---|---|---|---|",
            *(
                f"| {cost.held} | {cost.wall:.0f} | {cost.cpu:.0f}"
                f" | {cost.wall / cost.small_wall:.2f}, {cost.cpu / cost.small_cpu:.2f} |"
                for cost in self.costs
            ),
            "",
            *_looks(self.looked),
            "",
            f"- Resident memory over {self.memory.items} items, at each third: {thirds} MB;"
            f" at most {self.memory.most:.0f} MB.",
            f"- First poll {self.first_poll_s:.2f} s after the start of `suqiu run`.",
            f"- One of sixty queues full: {self.stuck.with_:.0f} items/s reach the others,"
            f" {self.stuck.without:.0f} when it is not ({self.stuck.ratio:.2f}).",
            f"- Sixty units called by HTTP, one dead, one taking {SLOW_S:.0f} s an answer:"
            f" {self.handed.with_:.0f} deliveries/s to the others,"
            f" {self.handed.without:.0f} when all are well ({self.handed.ratio:.2f}).",
        ]


def _pushes(found: tuple[Latency, ...]) -> list[str]:
    return [
        "From our answer to the queue (0 when the message was there first), and from sending to the queue:",
        "",
        "| pushes/s | p50 ms | p95 ms | p99 ms | p50 ms from sending | p99 ms from sending | told to wait |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {one.per_s} | {one.p50:.1f} | {one.p95:.1f} | {one.p99:.1f} | {one.p50_from_sent:.1f}"
            f" | {one.p99_from_sent:.1f} | {one.busy} |"
            for one in found
        ),
    ]


def _looks(looked: Looked) -> list[str]:
    rows = {"one appeal's whole story": looked.show, "the latest appeals": looked.list, **looked.filtered}
    rows |= {f"`{command}`, started and ended": took for command, took in looked.commands.items()}
    return [
        f"| looked up among {looked.held} appeals | ms |",
        "|---|---|",
        *(f"| {what} | {took:.1f} |" for what, took in rows.items()),
    ]


def measure(amqp: str, *, quick: bool, say: Callable[[str], None]) -> Measured:
    """Everything. `quick` stops at a hundred thousand appeals and asks for less patience everywhere."""
    say("first poll")
    first = first_poll_s(amqp)
    say("pushes")
    push = tuple(push_latency(amqp, rate, 5 if quick else 30) for rate in RATES)
    say("memory")
    used = memory(amqp, 15_000 if quick else 1_000_000)
    say("a stuck queue")
    stuck = stuck_queue(amqp, 3000 if quick else 20_000, 1 if quick else 3)
    say("units called by HTTP")
    handed = worker_throughput(600 if quick else 6000, 1 if quick else 3)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        say("growth")
        found = tuple(costs(amqp, place, SIZES[:2] if quick else SIZES, 2 if quick else 3, say))
        say("looking")
        looked = looking(place / "config", place / LEDGER, times=1 if quick else 3)
    if not quick:
        draw(found, CURVE)
    return Measured(push, found, used, first, looked, stuck, handed)
