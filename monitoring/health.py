"""
The watchers' door: /metrics, /healthz (the process lives), /readyz (its dependencies answer).

A small HTTP server of its own, apart from the front: it answers when the front is full, and it is
not meant for the outside. No personal data passes through it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any, Self

import simplejson
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from monitoring.readiness import Check, Checks, Report

MAX_CONNECTIONS = 16
READ_TIMEOUT = 5.0
"""Seconds that one read or write on a connection may take."""
CONNECTION_LIFE = 15.0
"""Seconds after which a connection is cut whatever it does; slow senders included."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    body: bytes


class Pages:
    """What each path answers."""

    def __init__(
        self, registry: CollectorRegistry, *, live: Mapping[str, Check], ready: Mapping[str, Check]
    ) -> None:
        self._registry = registry
        self._live = Checks(live)
        self._ready = Checks(ready)

    def answer(self, path: str, accept: str) -> Answer:
        if path == "/metrics":
            encode, content_type = choose_encoder(accept)
            return Answer(200, content_type, encode(self._registry))
        if path == "/healthz":
            return _report(self._live.report())
        if path == "/readyz":
            return _report(self._ready.report())
        return Answer(404, "text/plain; charset=utf-8", b"/metrics /healthz /readyz\n")


def _report(report: Report) -> Answer:
    text: str = simplejson.dumps(report.as_json(), ensure_ascii=False)
    return Answer(200 if report.is_fine else 503, "application/json; charset=utf-8", text.encode() + b"\n")


class _Handler(BaseHTTPRequestHandler):
    timeout = READ_TIMEOUT
    server_version = "suqiu"
    sys_version = ""
    protocol_version = "HTTP/1.0"  # one request per connection: nobody holds a place

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        assert isinstance(self.server, _Server)
        accept = self.headers.get("Accept", "")
        answer = self.server.pages.answer(self.path.partition("?")[0], accept)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(answer.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: scrapes come by the thousand, and the path is whatever a stranger typed."""


class _Server(ThreadingMixIn, TCPServer):
    # Not http.server's own class: that one asks the name service for our name, which may hang.
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(self, address: tuple[str, int], pages: Pages) -> None:
        self.pages = pages
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        cut = threading.Timer(CONNECTION_LIFE, _cut, (request,))
        cut.daemon = True
        cut.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            cut.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a caller who went away is not news."""


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class HealthServer:
    """Serves the pages from a thread of its own. Port 0 takes a free one; `port` says which."""

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        self._server = _Server((host, port), pages)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="health", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Close the port. Safe to call twice, and without a start."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
