"""What can be seen of a run from outside: the queues, the processes."""

from __future__ import annotations

import os
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pika

from bench.work import UNITS, queue

ORDER_NO = re.compile(rb'"order_no": ?"(GD\d+)"')
"""In a message's body: which item it is about. Some contestants write a blank after the colon."""
PATIENCE = 900.0
"""Seconds after which what has not arrived will not arrive."""
READY_WITHIN = 30.0
NEARLY = 0.8
"""Before so much has arrived, the queues are looked at seldom: looking takes some of the machine, too."""
_TICKS = os.sysconf("SC_CLK_TCK")


def always() -> bool:
    return True


def wait_for_arrival(
    amqp: str,
    items: int,
    *,
    first: int = 0,
    units: Sequence[str] = UNITS,
    may_go_on: Callable[[], bool] = always,
) -> float:
    """When those of so many items, from the source's first on, that go to these units lay in their queues,
    to some ten milliseconds. Raises TimeoutError, also once nobody can go on."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp))
    channel = connection.channel()
    end = time.time() + PATIENCE
    wanted = Counter(UNITS[number % len(UNITS)] for number in range(first, first + items))
    for unit in units:
        while (there := channel.queue_declare(queue(unit), passive=True).method.message_count) < wanted[unit]:
            if time.time() > end or not may_go_on():
                raise TimeoutError(f"not everything arrived; {unit} still waits")
            time.sleep(0.01 if there > wanted[unit] * NEARLY else 0.1)
    ended = time.time()
    connection.close()
    return ended


def wait_until_ready(address: str) -> None:
    """Until it says 200, or READY_WITHIN is over: what then does not arrive tells of it."""
    end = time.time() + READY_WITHIN
    while time.time() < end:
        with suppress(OSError):  # HTTPError, a 503, is one
            urllib.request.urlopen(address, timeout=1).close()
            return
        time.sleep(0.01)


def cpu_seconds(pid: int) -> float:
    """User and system, so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
