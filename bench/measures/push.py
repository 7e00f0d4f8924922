"""How long a pushed appeal takes from our yes until it lies in its unit's queue, at a steady rate."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from bench import limit
from bench.hub import prepared, running
from bench.measures.sender import push
from bench.work import UNITS, HubAt
from demo.servers.server import free_port

SETTLE = 2.0
"""Seconds that the last messages get to arrive."""
WARM_UP = 2.0
"""Seconds of the same load before anything counts."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds from our answer to the queue, and from the beginning of the request."""

    per_s: int
    p50: float
    p95: float
    p99: float
    p50_from_sent: float
    p99_from_sent: float
    busy: int
    """How often a sender was told to come again."""


def push_latency(amqp: str, per_s: int, seconds: float) -> Latency:
    """Push at this rate, whatever the answers take. Raises when one is refused for good, or lost."""
    limit.declare(amqp, UNITS)
    front = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = prepared(HubAt(Path(folder), amqp=amqp, push=True, front=front))
        with running(config, front=front), _arrivals(amqp) as arrivals:
            asyncio.run(push(front, per_s, WARM_UP, first=0))
            pushed = asyncio.run(push(front, per_s, seconds, first=1_000_000))
            time.sleep(SETTLE)
            arrived = arrivals()
    from_answer = [
        max(0.0, arrived[number] - answered) * 1000 for number, (_, answered) in pushed.told.items()
    ]
    from_sent = [(arrived[number] - sent) * 1000 for number, (sent, _) in pushed.told.items()]
    cuts, sent = quantiles(from_answer, n=100), quantiles(from_sent, n=100)
    return Latency(per_s, cuts[49], cuts[94], cuts[98], sent[49], sent[98], pushed.busy)


@contextmanager
def _arrivals(amqp: str) -> Iterator[_Arrivals]:
    command = [sys.executable, "-m", "bench.measures.arrivals", amqp]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield _Arrivals(process)
        finally:
            process.kill()


class _Arrivals:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self) -> dict[str, float]:
        """End it, and order number → when it arrived."""
        found: dict[str, float] = json.loads(self._process.communicate(timeout=60)[0])
        return found
