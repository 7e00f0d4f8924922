"""
kombu connections, made so that nothing a stranger publishes can break the reader.

py-amqp reads a message's properties as they arrive, and raises on what it does not expect: a
timestamp in milliseconds, a message id that is not UTF-8. The message would come again, and kill
the consumer again, for ever. Here such a message arrives without its properties, body untouched.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import kombu.connection as kombu_connection
from amqp.exceptions import FrameSyntaxError
from amqp.method_framing import frame_handler

from router.broker.settings import BrokerSettings

_Connection: Any = kombu_connection.Connection
CONTENT_HEADER = 2
_FIXED_PART = 12
"""Class, weight and body size; the flags that say which properties follow come next."""
_UNREADABLE = (ValueError, ArithmeticError, LookupError, FrameSyntaxError)


def connection(settings: BrokerSettings, password: str | None, name: str) -> Any:
    """Not connected yet. `heartbeat_check` is the caller's duty."""
    where = urlsplit(settings.url)
    link = settings.link
    return _Connection(
        hostname=where.hostname,
        port=where.port or (5671 if where.scheme == "amqps" else 5672),
        userid=unquote(where.username or "guest"),
        password=password or unquote(where.password or "guest"),
        virtual_host=unquote(where.path[1:]) or "/",
        transport="pyamqp",
        # server_hostname None: kombu puts the host's name there, and py-amqp checks it.
        ssl={"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None} if where.scheme == "amqps" else False,
        connect_timeout=link.connect_timeout.total_seconds(),
        heartbeat=link.heartbeat.total_seconds(),
        transport_options={
            "client_properties": {"connection_name": name, "product": "suqiu"},
            "frame_handler": _lenient,
        },
    )


@contextmanager
def cut_after(broker: Any, seconds: float) -> Iterator[None]:
    """Shut the socket if this takes longer; py-amqp then raises, where it would wait for ever.

    A broker that has just started may never answer a subscription to a queue it was still recovering.
    """
    sock = broker.connection.transport.sock
    timer = threading.Timer(seconds, _shut, (sock,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _lenient(*args: Any, **kwargs: Any) -> Callable[[Any], bool]:
    """py-amqp's frame handler, with a second try for a header it could not read."""
    strict: Callable[[Any], bool] = frame_handler(*args, **kwargs)

    def on_frame(frame: Any) -> bool:
        try:
            return strict(frame)
        except _UNREADABLE:
            kind, channel, content = frame
            if kind != CONTENT_HEADER:
                raise
            return strict((kind, channel, bytes(content[:_FIXED_PART]) + b"\0\0"))

    return on_frame
