"""
One AMQP connection for publishing, from the first try until it is gone. Never used again after that.

It looks for the exchange once, then opens an outlet for each destination that has something to say.
All methods run on the loop's thread.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import pika
from pika.adapters.select_connection import IOLoop
from pika.exceptions import AMQPError, ChannelClosedByBroker

from router.broker.acks import read_acks
from router.broker.lanes import Flight
from router.broker.outlet import Outlet, Verdicts
from router.broker.settings import LinkSettings
from router.broker.topology import DELIVER

# pika writes a traceback at ERROR for each failed attempt; the publisher reports one sentence instead.
logging.getLogger("pika").setLevel(logging.CRITICAL)

NOT_FOUND, ACCESS_REFUSED = 404, 403
GOODBYE = timedelta(seconds=2)
PIECE = 64 * 1024
"""Bytes of messages that go to the socket at once."""
MOST_DISCARDED = 100
"""So many channels that the broker does not close, and the connection is given up with them."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Whom a link tells what happens to it. `lost` is called exactly once; the link is dead then."""

    opened: Callable[[], None]
    heard: Callable[[], None]
    blocked: Callable[[str], None]
    lost: Callable[[str], None]


class Connection(pika.SelectConnection):  # type: ignore[misc]  # pika has no types
    """pika's own, but messages come as bytes, and those of one turn go out in one system call; and acks,
    most of what a publisher hears, are read without an object for each."""

    _frame_buffer: bytes
    _gathered: list[bytes] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.answered: dict[int, Callable[[int, bool], list[Flight]]] = {}
        """Channel → whom an ack is for, by its delivery tag and whether it is for all up to that."""
        self.acked: Callable[[Sequence[Flight]], None] = _ignore
        self.after_reading: Callable[[], None] = _ignore
        """Called when all of a read was handled: what it made room for can go out at once."""
        super().__init__(*args, **kwargs)

    @property
    def largest_body(self) -> int:
        """Bytes of a body in one frame, as agreed with the broker; more is split."""
        return int(self._body_max_length)

    def write(self, frames: bytes) -> None:
        """Whole frames of a channel that is open."""
        if self._gathered is None:
            self._output_marshaled_frames([frames])
        else:
            self._gathered.append(frames)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """What is written inside goes out at its end: a call for each message would give the
        interpreter lock away each time."""
        self._gathered = []
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered, None
            for some in _pieces(gathered):
                self._output_marshaled_frames([some])

    def _output_marshaled_frames(self, marshaled_frames: list[bytes]) -> None:
        if self._gathered is None:
            super()._output_marshaled_frames([b"".join(marshaled_frames)])
        else:
            self._gathered += marshaled_frames

    def _on_data_available(self, data_in: bytes) -> None:
        """The acks at its beginning are ours; from the first other frame on, pika reads."""
        data = self._frame_buffer + data_in
        acks, at = read_acks(data, self.answered)
        self._frame_buffer = b""
        self.bytes_received += at  # a sign of life for pika's heartbeat
        self.frames_received += len(acks)
        if flights := [flight for answered, tag, many in acks for flight in answered(tag, many)]:
            self.acked(flights)
        if at < len(data):
            super()._on_data_available(data[at:])
        self.after_reading()


def _ignore(*_: object) -> None:
    pass


def _pieces(frames: list[bytes]) -> Iterator[bytes]:
    """Of about PIECE: pika copies again and again what the socket does not take at once."""
    some: list[bytes] = []
    size = 0
    for one in frames:
        some.append(one)
        size += len(one)
        if size >= PIECE:
            yield b"".join(some)
            some, size = [], 0
    if some:
        yield b"".join(some)


class Link:
    """Opens at once. Gives out outlets only while `is_open`."""

    def __init__(
        self, loop: IOLoop, parameters: pika.ConnectionParameters, listener: Listener, verdicts: Verdicts
    ) -> None:
        self._loop = loop
        self._born = time.monotonic()
        self._listener = listener
        self._verdicts = verdicts
        self._outlets: dict[str, Outlet] = {}
        self._discarded: list[Outlet] = []
        self._is_ready = False
        self._is_blocked = False
        self._is_lost = False
        self._reason = ""
        self._connection: Any = Connection(
            parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_gone,
            on_close_callback=self._on_gone,
            custom_ioloop=loop,
        )
        self._connection.acked = verdicts.acked
        self._connection.after_reading = listener.heard
        self._connection.add_on_connection_blocked_callback(self._on_blocked)
        self._connection.add_on_connection_unblocked_callback(self._on_unblocked)

    @property
    def is_open(self) -> bool:
        """We may publish, and the broker has not blocked us."""
        return self._is_ready and not self._is_blocked

    def opening_since(self) -> float | None:
        """Since when the connection, or the slowest of its channels, is opening; None when all are open."""
        opening = [outlet.born for outlet in self._outlets.values() if not outlet.is_ready]
        if not self._is_ready:
            opening.append(self._born)
        return min(opening, default=None)

    def outlet(self, destination: str) -> Outlet:
        """The destination's channel; opened now if there is none, and then not ready yet."""
        found = self._outlets.get(destination)
        if found is None:
            found = self._outlets[destination] = Outlet(self._connection, destination, self._verdicts)
        return found

    def gathering(self) -> AbstractContextManager[None]:
        """What outlets send inside goes out together at its end."""
        gathered: AbstractContextManager[None] = self._connection.gathering()
        return gathered

    def owing(self) -> list[Outlet]:
        """The outlets with messages that are not answered yet."""
        return [outlet for outlet in self._outlets.values() if outlet.flights]

    def discard(self, destination: str) -> list[Flight]:
        """Give up one destination's channel; what it owed."""
        outlet = self._outlets.pop(destination)
        owed = outlet.discard()
        self._discarded = [one for one in self._discarded if not one.is_gone] + [outlet]
        if len(self._discarded) > MOST_DISCARDED:
            self.abort("RabbitMQ does not close the channels that were given up")
        return owed

    def abort(self, reason: str) -> None:
        """Cut the socket. A graceful close waits for a peer that may never answer (seen: 40 s)."""
        if self._is_lost:
            return
        self._is_ready = False
        self._reason = self._reason or reason
        if not self._connection.is_closed:
            # No public way: this is what pika's own heartbeat does to a dead peer.
            self._connection._terminate_stream(AMQPError(reason))

    def close(self) -> None:
        """Say goodbye when nothing is outstanding; cut after a moment without an answer."""
        if self.is_open:
            self._is_ready = False
            self._reason = "closed"
            self._loop.call_later(GOODBYE.total_seconds(), lambda: self.abort("no goodbye"))
            self._connection.close()
        else:
            self.abort("closed")

    def _on_open(self, _connection: object) -> None:
        # Publishing to a missing exchange closes the channel under everyone's messages: look first.
        self._connection.channel(on_open_callback=self._look)

    def _look(self, channel: Any) -> None:
        channel.add_on_close_callback(self._on_looked)
        channel.exchange_declare(DELIVER, passive=True, callback=lambda _ok: channel.close())

    def _on_looked(self, _channel: object, reason: Any) -> None:
        refused = isinstance(reason, ChannelClosedByBroker)
        # 4.3.0 asks for configure rights even to look; then we publish unseen.
        if refused and reason.reply_code != ACCESS_REFUSED:
            self.abort(f"{reason.reply_code} {reason.reply_text}; create it with: suqiu topology apply")
        elif self._connection.is_open and not self._reason:
            self._is_ready = True
            self._listener.opened()

    def _on_blocked(self, _connection: object, frame: Any) -> None:
        self._is_blocked = True
        self._listener.blocked(str(frame.method.reason))

    def _on_unblocked(self, _connection: object, _frame: object) -> None:
        self._is_blocked = False
        if self._is_ready:
            self._listener.opened()

    def _on_gone(self, _connection: object, error: BaseException) -> None:
        if not self._is_lost:
            self._is_ready = False
            self._is_lost = True
            self._listener.lost(self._reason or _sentence(error))


def parameters(url: str, password: str | None, settings: LinkSettings) -> pika.ConnectionParameters:
    """pika's form of where and how to connect. Its own URL reader fails on a user without a password."""
    where = urlsplit(url)
    user, given = unquote(where.username or "guest"), unquote(where.password or "guest")
    timeout = settings.connect_timeout.total_seconds()
    is_tls = where.scheme == "amqps"
    return pika.ConnectionParameters(
        host=where.hostname or "127.0.0.1",
        port=where.port or (5671 if is_tls else 5672),
        virtual_host=unquote(where.path[1:]) or "/",
        credentials=pika.PlainCredentials(user, password or given, erase_on_connect=False),
        ssl_options=pika.SSLOptions(ssl.create_default_context(), where.hostname) if is_tls else None,
        heartbeat=int(settings.heartbeat.total_seconds()),
        blocked_connection_timeout=settings.blocked_timeout.total_seconds(),
        socket_timeout=timeout,
        stack_timeout=timeout,
        connection_attempts=1,
        client_properties={"connection_name": "suqiu publisher", "product": "suqiu"},
    )


def _sentence(error: BaseException) -> str:
    """pika nests what went wrong three deep; the innermost says it best."""
    inner: Any = error
    while inner is not None:
        error = inner
        nested = getattr(error, "exceptions", None) or (getattr(error, "exception", None), *error.args)
        inner = next((one for one in reversed(nested) if isinstance(one, BaseException)), None)
    return f"{type(error).__name__}: {error}"[:300]
