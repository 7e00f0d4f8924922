"""
A child process for strace: `python -m tests.ledger.batches_under_strace FOLDER [SYNCHRONOUS]`.

Takes in batches of 200 and settles as many deliveries at once, on SQLite. Before each step it asks for a
file that does not exist, `mark:NAME`: that is how the trace shows where the step begins.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from router.flows.outbox import Settled, Want
from tests.hub import UNITS, Hub

BATCHES = 4
SIZE = 200


def main() -> None:
    folder = Path(sys.argv[1])
    hub = Hub(f"sqlite:///{folder / 'suqiu.db'}", folder)
    items = hub.items(BATCHES * SIZE, to=UNITS)
    if len(sys.argv) > 2:
        _set_synchronous(hub, sys.argv[2])
    for number in range(BATCHES):
        mark(f"accept-{number}")
        accepted = hub.accept(*items[number * SIZE : (number + 1) * SIZE])
        assert [item.outcome for item in accepted.items] == ["new"] * SIZE
    for number in range(BATCHES):
        now = hub.clock()
        wants = [Want(unit, SIZE // len(UNITS), "published") for unit in UNITS]
        mark(f"claim-{number}")
        claims = hub.outbox.claim(wants, now, now + timedelta(minutes=3))
        assert len(claims) == SIZE // len(UNITS) * len(UNITS)
        mark(f"settle-{number}")
        hub.outbox.settle([Settled(c.delivery_id, c.generation, "published") for c in claims], hub.clock())
    mark("end")
    hub.close()


def mark(name: str) -> None:
    """Only strace sees it."""
    os.access(f"mark:{name}", os.F_OK)


def _set_synchronous(hub: Hub, value: str) -> None:
    """On the one connection that writes."""
    connection = hub.database.engine.raw_connection()
    connection.driver_connection.execute(f"PRAGMA synchronous={value}")  # type: ignore[union-attr]  # it is open
    connection.close()


if __name__ == "__main__":
    main()
