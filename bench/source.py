"""
The source that all contenders read: `python -m bench.source ITEMS [FIRST]`.

Prints its URL and answers `?page=K` from ready bytes, so that it takes little of the machine from
whoever is measured. `GET /began` tells when the first page was asked for: seconds of `time.time()`,
or null.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from bench.work import PAGE, item


class Pages:
    """Made when asked for the first time, except for those that are ready before anyone asks."""

    READY = 500

    def __init__(self, items: int, first: int) -> None:
        self._items, self._first = items, first
        self.began: float | None = None
        last = min(-(-items // PAGE), self.READY)
        self._ready = [self._make(number) for number in range(1, last + 1)]

    def get(self, number: int) -> bytes:
        if self.began is None:
            self.began = time.time()
        return self._ready[number - 1] if 0 < number <= len(self._ready) else self._make(number)

    def _make(self, number: int) -> bytes:
        first = (number - 1) * PAGE
        some = [item(self._first + n) for n in range(first, min(first + PAGE, self._items))]
        answer = {"code": 0, "data": {"total": self._items, "list": some}}
        return json.dumps(answer, ensure_ascii=False).encode()


def handler(pages: Pages) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/began":
                body = json.dumps(pages.began).encode()
            else:
                body = pages.get(int(parse_qs(asked.query).get("page", ["1"])[0]))
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    return Handler


def main() -> None:
    items, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(Pages(items, first)))
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}/appeals", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
