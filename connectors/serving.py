"""
The front's port: uvicorn in a thread, started and stopped like anything else.

uvicorn limits heads in size but not in time. Here one request, from its first byte to its last, must
be in within a deadline; then the connection is cut, whatever has been answered meanwhile.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import timedelta

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_HEAD = 16 * 1024
MAX_CONNECTIONS = 512
_ARRIVED = (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR)


class HastyProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever."""

    request_within = 75.0
    """Longer than any door's own limit, which answers before it cuts."""
    head_within = 10.0

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        # The setting alone does not do it where a root handler is installed; paths and queries are secrets.
        self.access_log = False
        super().connection_made(transport)
        self._expect(self.head_within)

    def data_received(self, data: bytes) -> None:
        before = self.conn.their_state
        super().data_received(data)
        now = self.conn.their_state
        if now in _ARRIVED:
            self._forget()
        elif now is h11.SEND_BODY and before is not h11.SEND_BODY:
            self._expect(self.request_within)
        elif self._deadline is None:
            self._expect(self.head_within)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _expect(self, seconds: float) -> None:
        self._forget()
        self._deadline = self.loop.call_later(seconds, self._cut)

    def _forget(self) -> None:
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
            h11_max_incomplete_event_size=MAX_HEAD,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=int(self._stop_within.total_seconds()),
        )
