"""What the hub hands over itself: sixty units called by HTTP, one of them dead and one slow."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.hub import prepared, running
from bench.measures.receivers import SLOW
from bench.measures.trouble import Trouble, compare
from bench.work import UNITS, HubAt, source
from demo.servers.server import free_port

SLOW_S = 2.0
"""Seconds that the slow one takes for each answer."""
PATIENCE = 300.0
DEAD_UNIT, SLOW_UNIT, *_OTHERS = UNITS
OTHERS = tuple(_OTHERS)


def worker_throughput(items: int, rounds: int) -> Trouble:
    """Deliveries a second to the other units, with sixty healthy ones and with fifty-eight."""
    return compare(lambda troubled: _per_s(items, troubled=troubled), rounds)


def _per_s(items: int, *, troubled: bool) -> float:
    """From the first page asked for until the last delivery to the others."""
    with tempfile.TemporaryDirectory() as folder, source(items) as at, _receivers() as port:
        urls = {unit: f"http://127.0.0.1:{port}/{unit}" for unit in UNITS}
        if troubled:
            urls[DEAD_UNIT] = f"http://127.0.0.1:{free_port()}/"
            urls[SLOW_UNIT] = f"http://127.0.0.1:{port}/{SLOW}"
        hub = HubAt(
            Path(folder),
            source_url=at.url,
            http_destinations=tuple(urls[unit] for unit in UNITS),
        )
        with running(prepared(hub)):
            began = at.began()
            return _all_delivered(port, items, began)


def _all_delivered(port: int, items: int, began: float) -> float:
    """Deliveries a second to the others, once they have all of theirs."""
    wanted = {unit: len(range(place, items, len(UNITS))) for place, unit in enumerate(UNITS)}
    end = time.time() + PATIENCE
    while time.time() < end:
        told = _told(port)
        if all(told.get(unit, [0])[0] >= wanted[unit] for unit in OTHERS):
            ended = max(told[unit][2] for unit in OTHERS)
            return sum(wanted[unit] for unit in OTHERS) / (ended - began)
        time.sleep(0.1)
    raise TimeoutError(f"not everything was delivered within {PATIENCE:.0f} s")


def _told(port: int) -> Mapping[str, list[float]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        found: dict[str, list[float]] = json.load(answer)
        return found


@contextmanager
def _receivers() -> Iterator[int]:
    command = [sys.executable, "-m", "bench.measures.receivers", str(SLOW_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()
