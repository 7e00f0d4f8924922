"""
One AMQP channel in confirm mode for one destination, from its opening until its first doubt.

Confirms are counted per channel, by delivery tag. Each outlet keeps its own tag → message map, and
after any doubt it is discarded with its map and a new one opened: a stale confirm can be nobody's.
Basic.Return carries no tag; it is matched by message id, and precedes the ack of the same message.

A channel for each destination, because a channel can be stopped by a single queue: the first publish
to a quorum queue on a channel waits until that queue has answered, and everything behind it on the
same channel waits too. It is also faster: acks of one queue come in order, so one ack covers many.
"""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pika.exceptions import AMQPError, ChannelClosedByBroker

from router.broker.lanes import Flight
from router.broker.topology import DELIVER
from router.broker.wire import Writer


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Whom an outlet tells what it hears. All are called on the loop's thread."""

    opened: Callable[[str], None]
    acked: Callable[[Sequence[Flight]], None]
    nacked: Callable[[Sequence[Flight]], None]
    closed: Callable[[str, int, str], None]
    """The broker closed the channel of this destination: code and its words."""


class Outlet:
    """Opens at once. Sends only while `is_ready`."""

    def __init__(self, connection: Any, destination: str, verdicts: Verdicts) -> None:
        self.born = time.monotonic()
        self._destination = destination
        self._verdicts = verdicts
        self._tag = 0
        self._lowest = 1
        self.flights: dict[int, Flight] = {}
        self.is_ready = False
        self.is_trusted = False
        """Something sent here was answered."""
        self._connection = connection
        self._channel: Any = connection.channel(on_open_callback=self._on_open)
        number = int(self._channel.channel_number)
        self._writer = Writer(number, DELIVER, destination, connection.largest_body)
        self._channel.add_on_close_callback(self._on_closed)

    @property
    def is_gone(self) -> bool:
        """The broker knows, too, that the channel is closed."""
        return bool(self._channel.is_closed)

    def send(self, flight: Flight) -> None:
        """Raises ValueError when the message cannot be written as AMQP; nothing was sent then."""
        try:
            frames = self._writer.frames(flight.message)
        except (ValueError, struct.error) as error:
            raise ValueError(f"it cannot be written as AMQP ({error})") from error
        self._connection.write(frames)
        self._tag += 1
        self.flights[self._tag] = flight

    def oldest(self) -> Flight | None:
        return next(iter(self.flights.values()), None)

    def discard(self) -> list[Flight]:
        """Listen to it no more; what was still owed. The broker may be too stuck to close its side."""
        owed = list(self.flights.values())
        self.flights.clear()
        self.is_ready = False
        with contextlib.suppress(AMQPError):
            self._channel.close()
        return owed

    def _on_open(self, channel: Any) -> None:
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, lambda _ok: self._on_select())
        self._connection.answered[channel.channel_number] = self.answered

    def _on_select(self) -> None:
        self.is_ready = True
        self._verdicts.opened(self._destination)

    def answered(self, tag: int, multiple: bool) -> list[Flight]:
        """Whom an answer is for, oldest first; each is owed no longer."""
        self.is_trusted = True
        last = tag or self._tag  # 0 with `multiple` means all so far
        pop = self.flights.pop
        if not multiple:
            flight = pop(last, None)
            return [] if flight is None else [flight]
        first, self._lowest = self._lowest, last + 1
        return [flight for each in range(first, last + 1) if (flight := pop(each, None)) is not None]

    def _on_confirm(self, frame: Any) -> None:
        """What pika read: a nack, or an ack that came behind something else."""
        method = frame.method
        tell = self._verdicts.acked if method.NAME == "Basic.Ack" else self._verdicts.nacked
        if flights := self.answered(method.delivery_tag, method.multiple):
            tell(flights)

    def _on_return(self, _channel: object, method: Any, properties: Any, _body: bytes) -> None:
        for flight in self.flights.values():
            if not flight.returned and flight.message.delivery_id == properties.message_id:
                flight.returned = f"{method.reply_code} {method.reply_text}"
                return

    def _on_closed(self, _channel: object, reason: Any) -> None:
        self.is_ready = False
        self._connection.answered.pop(self._channel.channel_number, None)
        # Any other reason is ours, or the connection's, which tells on its own.
        if isinstance(reason, ChannelClosedByBroker):
            self._verdicts.closed(self._destination, reason.reply_code, reason.reply_text)
