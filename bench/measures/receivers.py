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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


def handler(counted: Counted, slow_s: float) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(counted.told())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            unit = self.path.strip("/")
            if unit == SLOW:
                time.sleep(slow_s)
            counted.add(unit)
            self._answer(_YES)

        def _answer(self, body: bytes) -> None:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    return Handler


def main() -> None:
    slow_s = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(Counted(), slow_s))
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
