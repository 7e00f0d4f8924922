"""A unit's own system: a small HTTP server on this machine that answers as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from connectors.http_destination import HttpDestination
from connectors.http_destination_settings import HttpDestinationSettings
from tests.front.fakes import Clock
from tests.front.rig import SECRETS


@dataclass
class Said:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    after: float = 0
    hangs_up: bool = False
    endless: bool = False


@dataclass
class Got:
    path: str
    headers: dict[str, str]
    body: bytes


class UnitSystem:
    """Steers what the server says and keeps what it got. Keeps `tests.destinations.Receiver`."""

    destination: HttpDestination

    def __init__(self) -> None:
        self.said = Said()
        self.got: list[Got] = []
        self.clock = Clock()

    def takes_everything(self) -> None:
        self.said = Said()

    def says_no(self) -> None:
        self.said = Said(422, "欧阳测试名 13900007777".encode())

    def says_slow_down(self, seconds: int) -> None:
        self.said = Said(429, headers={"retry-after": str(seconds)})

    def is_away(self) -> None:
        self.said = Said(hangs_up=True)

    def keys(self) -> list[str]:
        return [got.headers["idempotency-key"] for got in self.got]

    @contextmanager
    def running(self, **settings: object) -> Iterator[UnitSystem]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/tasks?from=hub"
        wanted = HttpDestinationSettings.model_validate({"kind": "http", "url": url, **settings})
        self.destination = HttpDestination("rsj", wanted, SECRETS, self.clock)
        try:
            yield self
        finally:
            self.destination.close()
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(system: UnitSystem) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            said = system.said
            system.got.append(Got(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(said.after)
            if said.hangs_up:
                return
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(said.body)
                while said.endless:
                    self.wfile.write(b" " * 65536)
            except OSError:
                return  # the hub has heard enough

        def do_GET(self) -> None:
            raise AssertionError("a redirect was followed")

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Silent."""

    return Handler
