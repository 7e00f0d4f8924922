"""A real HTTP server that does what a test tells it, one scripted answer after another."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    certificate: dict[str, Any] | None = None

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Told:
    """An answer, and what goes wrong with it."""

    body: bytes | str | Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Close the connection after half of the body."""
    drip: float = 0.0
    """Seconds between two bytes: of the head where `drips_head`, else of the body."""
    drips_head: bool = False
    says_length: bool = True

    @property
    def raw(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
        return text.encode()


Answers = Callable[[Asked], Told]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answers: Answers
    asked: list[Asked]

    def handle_error(self, *_: Any) -> None:
        """The client has had enough; nobody wants to read about it."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        parts = urlsplit(self.path)
        is_tls = isinstance(self.connection, ssl.SSLSocket)
        asked = Asked(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
            self.connection.getpeercert() if is_tls else None,
        )
        self.server.asked.append(asked)
        self._tell(self.server.answers(asked))

    def _tell(self, told: Told) -> None:
        raw = told.raw
        head = f"HTTP/1.1 {told.status} X\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self._headers(told, raw))
        with suppress(OSError):
            self._send(head.encode("latin-1") + b"\r\n", told.drip if told.drips_head else 0)
            self._send(raw[: len(raw) // 2] if told.cut else raw, 0 if told.drips_head else told.drip)
        self.close_connection = told.cut or not told.says_length

    def _headers(self, told: Told, raw: bytes) -> Iterator[tuple[str, str]]:
        named = {name.lower() for name in told.headers}
        if "date" not in named:
            yield "date", self.date_time_string()
        yield from told.headers.items()
        if told.says_length and told.status != 204:
            yield "content-length", str(len(raw))

    def _send(self, raw: bytes, drip: float) -> None:
        for place in range(0, len(raw), 1 if drip else max(len(raw), 1)):
            self.wfile.write(raw[place : place + 1] if drip else raw)
            self.wfile.flush()
            time.sleep(drip)

    def log_message(self, *_: Any) -> None:
        pass


class ScriptedServer:
    """Answers by a function; keeps what it was asked."""

    def __init__(self, answers: Answers, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.answers = answers
        self._server.asked = []
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        work = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        work.start()

    @property
    def asked(self) -> list[Asked]:
        return self._server.asked

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
