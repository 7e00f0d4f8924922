"""
Runs some units until they are told to stop. What they are to do comes on standard input, as JSON:

    {"units": {"rsj": "token", …}, "front": "http://127.0.0.1:8800", "record": "DIR",
     "refuse": ["source id", …], "forget": "rsj" or null, "amqp": "amqp://…" or null,
     "pull": ["gdy", …]}

Those under `pull` fetch over HTTP even where there is a broker.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from demo.leash import die_with_parent
from demo.record import Record, read
from demo.units.desk import UnitDesk
from demo.units.over_amqp import AmqpUnits
from demo.units.over_http import HttpUnit


def main() -> None:
    """Work as the units named on standard input until told to stop."""
    die_with_parent()
    wanted = json.load(sys.stdin)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    desks = [_desk(unit, wanted) for unit in wanted["units"]]
    queued = [desk for desk in desks if wanted["amqp"] and desk.unit not in wanted["pull"]]
    fetching = [desk for desk in desks if desk not in queued]
    runners = [*(_over_amqp(queued, wanted, stop) if queued else ()), *_over_http(fetching, wanted, stop)]
    threads = [threading.Thread(target=run) for run in runners]
    for thread in threads:
        thread.start()
    print("at work", flush=True)
    # One at a time, so that a signal is noticed between them.
    while any(thread.is_alive() for thread in threads):
        stop.wait(0.5)


def _over_http(desks: list[UnitDesk], wanted: dict[str, Any], stop: threading.Event) -> list[Any]:
    return [HttpUnit(desk, wanted["front"], wanted["units"][desk.unit], stop).run for desk in desks]


def _over_amqp(desks: list[UnitDesk], wanted: dict[str, Any], stop: threading.Event) -> list[Any]:
    return [AmqpUnits(desks, wanted["amqp"], stop).run]


def _desk(unit: str, wanted: dict[str, Any]) -> UnitDesk:
    path = Path(wanted["record"]) / f"got-{unit}.jsonl"
    seen = {row["dispatch_id"] for row in read(path)}
    return UnitDesk(unit, Record(path), seen, frozenset(wanted["refuse"]), forgets=unit == wanted["forget"])


if __name__ == "__main__":
    main()
