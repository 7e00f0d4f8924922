"""How long a pushed appeal takes from our yes until it lies in its unit's queue, at a steady rate."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
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

import httpx

from bench import limit
from bench.measures.hub import prepared, running
from bench.work import KEYS, UNITS, HubAt, item
from demo.servers.server import free_port

SETTLE = 2.0
"""Seconds that the last messages get to arrive."""
BUSY = 0.05
"""Seconds after which a sender who was told that the hub is busy tries again."""
WARM_UP = 2.0
"""Seconds of the same load before anything counts."""
PATIENCE = 30.0
"""Seconds until a push counts as failed. A stall shows as latency before."""
MAKING_READY = 0.3
"""Seconds that the sender gets to set out all of its pushes before the first is due."""

Told = dict[str, tuple[float, float]]
"""Order number → when it was due to be sent, and when it was answered."""


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
        config = prepared(HubAt(Path(folder), amqp=amqp, push=True, front=front, monitoring=free_port()))
        with running(config, front=front), _arrivals(amqp) as arrivals:
            url = f"http://127.0.0.1:{front}/push/crm"
            asyncio.run(_push(url, per_s, WARM_UP, first=0))
            told, busy = asyncio.run(_push(url, per_s, seconds, first=1_000_000))
            time.sleep(SETTLE)
            arrived = arrivals()
    from_answer = [max(0.0, arrived[number] - answered) * 1000 for number, (_, answered) in told.items()]
    from_sent = [(arrived[number] - sent) * 1000 for number, (sent, _) in told.items()]
    cuts, sent = quantiles(from_answer, n=100), quantiles(from_sent, n=100)
    return Latency(per_s, cuts[49], cuts[94], cuts[98], sent[49], sent[98], busy)


async def _push(url: str, per_s: int, seconds: float, first: int) -> tuple[Told, int]:
    """When each was sent and answered; how often the answer was to come again."""
    told: Told = {}
    busy = 0
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        began = time.time() + MAKING_READY

        async def one(number: int) -> None:
            nonlocal busy
            data = item(first + number)
            # Counted from when it was due: whoever sends late must not make us look fast.
            sent = began + number / per_s
            await asyncio.sleep(max(0.0, sent - time.time()))
            body = json.dumps(data, ensure_ascii=False).encode()
            while True:
                answer = await client.post(url, content=body, headers=_signed(data["no"], body))
                if answer.status_code in (200, 202):
                    break
                assert answer.status_code == 503, f"{answer.status_code}: {answer.text[:200]}"
                busy += 1
                await asyncio.sleep(BUSY)
            told[data["no"]] = (sent, time.time())

        await asyncio.gather(*(one(number) for number in range(int(per_s * seconds))))
    return told, busy


def _signed(id_: str, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    timestamp = str(int(time.time()))
    key = base64.b64decode(KEYS["k1"])
    signature = hmac.digest(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


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
