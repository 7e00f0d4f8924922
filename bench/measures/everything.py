"""All measures beside the race, one after the other on the race's broker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measures.growth import Cost, costs, draw, growth
from bench.measures.memory import Memory, memory
from bench.measures.push import Latency, push_latency
from bench.measures.startup import first_poll_s

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

    @property
    def push_p99_ms(self) -> float:
        return self.push[-1].p99

    @property
    def growth(self) -> float:
        return growth(self.costs)

    def lines(self) -> list[str]:
        """As Markdown."""
        lines = ["| pushes/s | p50 ms | p95 ms | p99 ms | p99 ms from sending |", "|---|---|---|---|---|"]
        for one in self.push:
            lines.append(
                f"| {one.per_s} | {one.p50:.1f} | {one.p95:.1f} | {one.p99:.1f} | {one.p99_from_sent:.1f} |"
            )
        lines += ["", "| appeals in the ledger | µs per item | of these, CPU of the hub |", "|---|---|---|"]
        lines += [f"| {cost.held} | {cost.wall:.0f} | {cost.cpu:.0f} |" for cost in self.costs]
        thirds = ", ".join(f"{third:.0f}" for third in self.memory.thirds)
        lines += [
            "",
            f"Resident memory over {self.memory.items} items, at each third: {thirds} MB.",
            f"First poll {self.first_poll_s:.2f} s after the start of `suqiu run`.",
        ]
        return lines


def measure(amqp: str, *, quick: bool, say: Callable[[str], None]) -> Measured:
    """Everything. `quick` stops at a hundred thousand appeals and asks for less patience everywhere."""
    say("first poll")
    first = first_poll_s(amqp)
    say("pushes")
    push = tuple(push_latency(amqp, rate, 6 if quick else 30) for rate in RATES)
    say("memory")
    used = memory(amqp, 15_000 if quick else 1_000_000)
    say("growth")
    found = tuple(costs(amqp, SIZES[:2] if quick else SIZES, say))
    if not quick:
        draw(found, CURVE)
    return Measured(push, found, used, first)
