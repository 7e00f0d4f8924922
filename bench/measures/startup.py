"""How soon a started hub asks its source for the first time."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from bench.hub import prepared, running
from bench.work import PAGE, HubAt, source

TIMES = 3


def first_poll_s(amqp: str) -> float:
    """Seconds from the start of `suqiu run` to its first request; the median of three."""
    return median(_once(amqp) for _ in range(TIMES))


def _once(amqp: str) -> float:
    with tempfile.TemporaryDirectory() as folder, source(PAGE) as at:
        config = prepared(HubAt(Path(folder), amqp=amqp, source_url=at.url))
        with running(config) as hub:
            return at.began() - hub.started
