"""
One AMQP connection for publishing, from the first try until it is gone. Never used again after a doubt.

The confirms of one channel are counted by delivery tag, so each link keeps its own tag → message
map; since a new link starts a new one, a stale confirm can be nobody's. Basic.Return carries no
tag: it is matched by message id, and precedes the ack of the same message.

All methods run on the loop's thread.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop
from pika.exceptions import AMQPError, ChannelClosedByBroker

from router.broker.lanes import Flight
from router.broker.settings import LinkSettings
from router.broker.topology import DELIVER
from router.broker.wire import Properties

# pika writes a traceback at ERROR for each failed attempt; the publisher reports one sentence instead.
logging.getLogger("pika").setLevel(logging.CRITICAL)

NOT_FOUND, ACCESS_REFUSED = 404, 403
GOODBYE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Listener:
    """Whom a link tells what happened. `lost` is called exactly once, after which the link is dead."""

    opened: Callable[[], None]
    acked: Callable[[Flight], None]
    nacked: Callable[[Flight], None]
    blocked: Callable[[str], None]
    lost: Callable[[str], None]


class _Connection(pika.SelectConnection):  # type: ignore[misc]  # pika has no types
    """pika's own, but a message's frames go out in one write: three system calls become one."""

    def _output_marshaled_frames(self, marshaled_frames: list[bytes]) -> None:
        super()._output_marshaled_frames([b"".join(marshaled_frames)])


class Link:
    """Opens at once. Sends only while `is_open`."""

    def __init__(
        self, loop: IOLoop, parameters: pika.connection.Parameters, listener: Listener, *, look: bool = True
    ) -> None:
        self._loop = loop
        self._listener = listener
        self._look = look
        self._channel: Any = None
        self._tag = 0
        self._lowest = 1
        self._is_ready = False
        self._is_blocked = False
        self._is_lost = False
        self._reason = ""
        self.flights: dict[int, Flight] = {}
        self.is_trusted = False
        """Something published on this link was answered."""
        self._connection: Any = _Connection(
            parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_gone,
            on_close_callback=self._on_gone,
            custom_ioloop=loop,
        )
        self._connection.add_on_connection_blocked_callback(self._on_blocked)
        self._connection.add_on_connection_unblocked_callback(self._on_unblocked)

    @property
    def is_open(self) -> bool:
        """There is a channel in confirm mode, and the broker has not blocked us."""
        return self._is_ready and not self._is_blocked

    def send(self, flight: Flight) -> None:
        """Raises ValueError when the message cannot be written as AMQP; nothing was sent then."""
        message = flight.message
        try:
            properties = Properties(message)
        except (ValueError, struct.error) as error:
            raise ValueError(f"it cannot be written as AMQP ({error})") from error
        self._channel.basic_publish(DELIVER, message.destination, message.body, properties, True)
        self._tag += 1
        self.flights[self._tag] = flight

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
        if self._is_ready and not self._is_blocked:
            self._is_ready = False
            self._reason = "closed"
            self._loop.call_later(GOODBYE.total_seconds(), lambda: self.abort("no goodbye"))
            self._connection.close()
        else:
            self.abort("closed")

    def _on_open(self, _connection: object) -> None:
        self._connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_return)
        if self._look:
            # Publishing to a missing exchange closes the channel under everyone's messages: look first.
            channel.exchange_declare(DELIVER, passive=True, callback=lambda _ok: self._select())
        else:
            self._select()

    def _select(self) -> None:
        self._look = False
        self._channel.confirm_delivery(self._on_confirm, lambda _ok: self._on_ready())

    def _on_ready(self) -> None:
        self._is_ready = True
        self._listener.opened()

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        self.is_trusted = True
        tell = self._listener.acked if method.NAME == "Basic.Ack" else self._listener.nacked
        if not method.multiple:
            flight = self.flights.pop(method.delivery_tag, None)
            if flight is not None:
                tell(flight)
            return
        last = method.delivery_tag or self._tag
        for tag in range(self._lowest, last + 1):
            flight = self.flights.pop(tag, None)
            if flight is not None:
                tell(flight)
        self._lowest = last + 1

    def _on_return(self, _channel: object, method: Any, properties: Any, _body: bytes) -> None:
        for flight in self.flights.values():
            if not flight.returned and flight.message.delivery_id == properties.message_id:
                flight.returned = f"{method.reply_code} {method.reply_text}"
                return

    def _on_blocked(self, _connection: object, frame: Any) -> None:
        self._is_blocked = True
        self._listener.blocked(str(frame.method.reason))

    def _on_unblocked(self, _connection: object, _frame: object) -> None:
        self._is_blocked = False
        self._listener.opened()

    def _on_channel_closed(self, _channel: object, reason: Any) -> None:
        self._is_ready = False
        if not isinstance(reason, ChannelClosedByBroker):
            return  # the connection went, or is going, and says so itself
        if self._look and reason.reply_code == ACCESS_REFUSED:
            self._look = False  # 4.3.0 asks for configure rights even to look
            self._connection.channel(on_open_callback=self._on_channel)
            return
        hint = "; create it with: suqiu topology apply" if reason.reply_code == NOT_FOUND else ""
        self.abort(f"the broker closed the channel: {reason.reply_code} {reason.reply_text}{hint}")

    def _on_gone(self, _connection: object, error: BaseException) -> None:
        if not self._is_lost:
            self._is_ready = False
            self._is_lost = True
            self._listener.lost(self._reason or _sentence(error))


def parameters(url: str, password: str | None, settings: LinkSettings) -> pika.connection.Parameters:
    """pika's form of where and how to connect."""
    found: Any = pika.URLParameters(url)
    if password is not None:
        found.credentials = pika.PlainCredentials(found.credentials.username, password)
    found.heartbeat = int(settings.heartbeat.total_seconds())
    found.blocked_connection_timeout = settings.blocked_timeout.total_seconds()
    found.socket_timeout = found.stack_timeout = settings.connect_timeout.total_seconds()
    found.connection_attempts = 1
    found.client_properties = {"connection_name": "suqiu publisher", "product": "suqiu"}
    return found


def _sentence(error: BaseException) -> str:
    """pika nests what went wrong three deep; the innermost says it best."""
    inner: Any = error
    while inner is not None:
        error = inner
        nested = getattr(error, "exceptions", None) or (getattr(error, "exception", None), *error.args)
        inner = next((one for one in reversed(nested) if isinstance(one, BaseException)), None)
    return f"{type(error).__name__}: {error}"[:300]
