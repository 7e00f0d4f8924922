"""
The source that all contenders read: `python -m bench.source ITEMS [FIRST]`.

Prints its URL and answers `?page=K` from ready bytes, so that it takes little of the machine from
whoever is measured; with `&from=TIME`, only items that are no older. `GET /began` tells when the first
page was asked for: seconds of `time.time()`, or null.
"""

from __future__ import annotations

import json
import sys
import time
from urllib.parse import parse_qsl, urlsplit

from bench.answering import Answering, serve
from bench.work import PAGE, item, number_at


class Pages:
    """Made when asked for the first time, except for those that are ready before anyone asks."""

    READY = 500

    def __init__(self, items: int, first: int) -> None:
        self._items, self._first = items, first
        self.began: float | None = None
        last = min(-(-items // PAGE), self.READY)
        self._ready = [self._make(number) for number in range(1, last + 1)]

    def get(self, number: int, from_: str) -> bytes:
        if self.began is None:
            self.began = time.time()
        skipped = max(0, number_at(from_) - self._first) if from_ else 0
        if skipped == 0 and 0 < number <= len(self._ready):
            return self._ready[number - 1]
        return self._make(number, skipped)

    def _make(self, number: int, skipped: int = 0) -> bytes:
        first = (number - 1) * PAGE + skipped
        some = [item(self._first + n) for n in range(first, min(first + PAGE, self._items))]
        answer = {"code": 0, "data": {"total": self._items - skipped, "list": some}}
        return json.dumps(answer, ensure_ascii=False).encode()


def handler(pages: Pages) -> type[Answering]:
    """What answers with these pages."""

    class Handler(Answering):
        def get(self, path: str) -> bytes:
            asked = urlsplit(path)
            if asked.path == "/began":
                return json.dumps(pages.began).encode()
            query = dict(parse_qsl(asked.query))
            return pages.get(int(query.get("page", "1")), query.get("from", ""))

    return Handler


def main() -> None:
    """Serve until killed."""
    items, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    serve(handler(Pages(items, first)), "http://127.0.0.1:{port}/appeals")


if __name__ == "__main__":
    main()
