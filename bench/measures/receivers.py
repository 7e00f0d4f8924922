"""
Sixty units' own systems in one process: `python -m bench.measures.receivers [SLOW_SECONDS]`.

Prints its port and takes a POST to `/UNIT`. With seconds given, the unit `slow` answers after so many.
`GET /` tells when each unit's first and latest message came, and how many: {unit: [count, first, latest]}.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from bench.answering import Answering, serve

SLOW = "slow"
_YES = b'{"ok":true}'


class Counted:
    """What came, unit by unit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._units: dict[str, list[float]] = {}

    def add(self, unit: str) -> None:
        now = time.time()
        with self._lock:
            seen = self._units.setdefault(unit, [0, now, now])
            seen[0] += 1
            seen[2] = now

    def told(self) -> bytes:
        with self._lock:
            return json.dumps(self._units).encode()


def handler(counted: Counted, slow_s: float) -> type[Answering]:
    """What takes the units' messages."""

    class Handler(Answering):
        def get(self, path: str) -> bytes:
            return counted.told()

        def post(self, path: str) -> bytes:
            unit = path.strip("/")
            if unit == SLOW:
                time.sleep(slow_s)
            counted.add(unit)
            return _YES

    return Handler


def main() -> None:
    """Serve until killed."""
    slow_s = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    serve(handler(Counted(), slow_s), "{port}")


if __name__ == "__main__":
    main()
