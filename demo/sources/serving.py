"""The small HTTP server under both systems: routes, forms, and a note when an answer has left."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

STATE = "/_day"
"""Where the demonstration asks how far a system is; no real one has such an address."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send, and what to do once all of it has been written to the caller."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    afterwards: Callable[[], None] = _nothing


def json_answer(data: Any, status: int = 200, afterwards: Callable[[], None] = _nothing) -> Answer:
    body = json.dumps(data, ensure_ascii=False).encode()
    return Answer(body, status, afterwards=afterwards)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, respond: Callable[[Asked], Answer]) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.respond = respond

    def handle_error(self, *_: object) -> None:
        # A caller that is killed in mid-request is no trouble of this server's.
        return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._respond(b"")

    def do_POST(self) -> None:
        self._respond(self.rfile.read(int(self.headers.get("content-length") or 0)))

    def _respond(self, body: bytes) -> None:
        answer = self.server.respond(self._asked(body))
        try:
            self._write(answer)
        except OSError:
            # The hub may be killed while it reads: then this was not handed out.
            self.close_connection = True
            return
        answer.afterwards()

    def _asked(self, body: bytes) -> Asked:
        parts = urlsplit(self.path)
        query, form = dict(parse_qsl(parts.query)), dict(parse_qsl(body.decode("utf-8", "replace")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Asked(self.command, parts.path, query, form, headers)

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("content-type", answer.content_type)
        self.send_header("content-length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        return


def serve(port: int, respond: Callable[[Asked], Answer]) -> ThreadingHTTPServer:
    """A server on the loopback, not yet running; port 0 takes a free one."""
    return _Server(port, respond)
