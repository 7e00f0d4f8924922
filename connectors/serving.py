"""
The front's port: uvicorn in a thread, started and stopped like anything else.

uvicorn limits heads neither in size nor in time. Here what belongs to no body is bounded, and one
request, from its first byte to its last, must be in within a deadline; then the connection is cut,
whatever has been answered meanwhile.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import timedelta
from typing import Literal

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 16 * 1024
MAX_CONNECTIONS = 512

Part = Literal["head", "body"]


class HastyProtocol(HttpToolsProtocol):
    """HTTP/1.1 that does not wait for ever."""

    request_within = 75.0
    """Longer than any door's own limit, which answers before it cuts."""
    head_within = 10.0

    _part: Part | None = "head"
    """What of a request must come next; None between a request's last byte and its answer."""
    _awaited: Part | None = None
    """What the deadline is for."""
    _deadline: asyncio.TimerHandle | None = None
    _loose = 0
    """Bytes since the last that belonged to a body: a head, the frames of chunks, what follows the last."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        # The setting alone does not do it where a root handler is installed; paths and queries are secrets.
        self.access_log = False
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        self._loose += len(data)
        super().data_received(data)
        if self._loose > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("Too much that is no body.")
        if self._part is None and self._is_answered:
            self._part = "head"
        self._watch()

    def on_message_begin(self) -> None:
        self._part = "head"
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._part == "head":  # what follows a body may not change what stood before it
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._part = "body"
        self._loose = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._loose = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._part = None
        self._loose = 0
        self._forget()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    @property
    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        """The deadline for a part begins with its first byte, and no further byte moves it."""
        if self._part == self._awaited:
            return
        self._forget()
        if self._part is not None:
            within = self.head_within if self._part == "head" else self.request_within
            self._awaited = self._part
            self._deadline = self.loop.call_later(within, self._cut)

    def _forget(self) -> None:
        self._awaited = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut(self) -> None:
        self._deadline = None
        self.transport.abort()


class FrontServer:
    """Serves an application on a port. Port 0 takes a free one; `port` tells which."""

    def __init__(
        self, app: ASGIApp, host: str, port: int, *, stop_within: timedelta = timedelta(seconds=20)
    ) -> None:
        self._app = app
        self._host = host
        self._wanted = port
        self._stop_within = stop_within
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = port

    def start(self) -> None:
        """Returns once requests are taken. Raises OSError when the port is not to be had."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.create_server((self._host, self._wanted), family=family, backlog=512)
        self.port = listening.getsockname()[1]
        self._server = uvicorn.Server(self._config())
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="front", daemon=True
        )
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
            if not self._thread.is_alive():
                listening.close()
                raise OSError(f"the front on {self._host}:{self.port} did not start")

    def stop(self) -> None:
        """Take nothing new, answer what is under way, then return. Safe to call twice."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(self._stop_within.total_seconds() + 5)
        self._server = self._thread = None

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._app,
            http=HastyProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=int(self._stop_within.total_seconds()),
        )
