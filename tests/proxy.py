"""
A TCP proxy that fails on command. Each direction has a mode of its own, changed while it runs:

    pass   bytes go through
    hold   bytes wait: half-open for as long as it lasts, then everything arrives late
    drop   bytes vanish: a confirm lost after the broker has stored the message

`cut()` resets every connection (RST), `cut_after(n)` resets after n more bytes upwards, in the middle
of a frame if need be; while `refuses` is set, new connections are reset at once.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Literal, Self

Mode = Literal["pass", "hold", "drop"]


class FaultProxy:
    """Listens on a free port of 127.0.0.1 and leads to `target`. Use as a context manager."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.upwards: Mode = "pass"
        self.downwards: Mode = "pass"
        self.refuses = False
        self.accepted = 0
        """Connections let through so far."""
        self._left: int | None = None
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._changed = threading.Condition()
        self._closed = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self.set(upwards="pass", downwards="pass")
        self._listener.close()
        self.cut()

    def set(self, *, upwards: Mode | None = None, downwards: Mode | None = None) -> None:
        """Change modes; what was held goes on at once."""
        with self._changed:
            self.upwards = upwards or self.upwards
            self.downwards = downwards or self.downwards
            self._changed.notify_all()

    def cut(self) -> None:
        """Reset every connection."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for one in pair:
                _reset(one)

    def cut_after(self, count: int) -> None:
        """Let this many more bytes go up, then reset."""
        self._left = count

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.refuses:
                _reset(near)
                continue
            try:
                far = socket.create_connection(self._target, timeout=5)
            except OSError:
                _reset(near)
                continue
            far.settimeout(None)
            self.accepted += 1
            self._pairs.append((near, far))
            threading.Thread(target=self._pump, args=(near, far, "upwards"), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, "downwards"), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, direction: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                with self._changed:
                    self._changed.wait_for(lambda: getattr(self, direction) != "hold")
                if getattr(self, direction) == "drop":
                    continue
                if direction == "upwards" and self._left is not None:
                    data, self._left = data[: self._left], self._left - len(data)
                    sink.sendall(data)
                    if self._left <= 0:
                        self._left = None
                        self.cut()
                        return
                else:
                    sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def _reset(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Wakes the thread that reads it; close alone would leave it waiting.
        if hasattr(one, "shutdown"):
            one.shutdown(socket.SHUT_RD)
    one.close()
