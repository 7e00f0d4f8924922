"""
A whole message as AMQP bytes, written by hand: the publish, its header with our table, its body.

pika builds three objects a message and spends as much on a header table of twelve as on everything else.
The names never change, and within a page neither do the time and the configuration, so what stays the
same is written once; a test compares the bytes with pika's own. `Channel.basic_publish` with
`headers.headers` would do the same, slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from struct import Struct

from pika import frame, spec

from router.broker import headers
from router.ports import Outgoing

_FLAGS = (
    spec.BasicProperties.FLAG_CONTENT_TYPE
    | spec.BasicProperties.FLAG_HEADERS
    | spec.BasicProperties.FLAG_DELIVERY_MODE
    | spec.BasicProperties.FLAG_CORRELATION_ID
    | spec.BasicProperties.FLAG_MESSAGE_ID
    | spec.BasicProperties.FLAG_TIMESTAMP
    | spec.BasicProperties.FLAG_TYPE
    | spec.BasicProperties.FLAG_APP_ID
)
_FRAME = Struct(">BHI").pack
_CONTENT = Struct(">BHIHHQH").pack
"""A header frame up to the flags: type, channel, length, class, weight, length of the body, flags."""
_CONTENT_SIZE = 14
"""Of these bytes, how many the frame's length counts."""
_LENGTH = Struct(">I").pack
_SHORT = Struct("B").pack
_TIME = Struct(">Q").pack
_END = bytes((spec.FRAME_END,))


def _short(text: str) -> bytes:
    raw = text.encode()
    return bytes((len(raw),)) + raw


def _long(raw: bytes) -> bytes:
    return _LENGTH(len(raw)) + raw


def _text(name: str) -> bytes:
    """The name of a text in the table, up to its length."""
    return _short(name) + b"S"


def _number(name: str) -> bytes:
    return _short(name) + b"I"


_ID = _text(headers.CE_SPECVERSION) + _long(headers.SPECVERSION.encode()) + _text(headers.CE_ID)
_TYPE = _text(headers.CE_SOURCE) + _long(headers.SOURCE.encode()) + _text(headers.CE_TYPE)
_SUBJECT = _text(headers.CE_SUBJECT)
_ATTEMPT = _number(headers.ATTEMPT)
_NUMBERS = Struct(f">i{len(_ATTEMPT)}si").pack
_SHA256 = _text(headers.SHA256) + _LENGTH(64)
_TRACEPARENT = _text(headers.TRACEPARENT)
_CONTENT_TYPE = _short(headers.CONTENT_TYPE)
_DELIVERY_MODE = bytes((headers.PERSISTENT,))
_APP_ID_END = _short(headers.APP_ID) + _END
_FIXED = _CONTENT_SIZE + len(_CONTENT_TYPE + _DELIVERY_MODE + _APP_ID_END) - len(_END) + 4 + 1 + 1 + 8
"""What the length of a header frame counts beside its table and texts: with the lengths of the table
and of two ids, and the time."""


class Writer:
    """Writes the messages of one destination for one channel."""

    def __init__(self, channel: int, exchange: str, destination: str, largest: int) -> None:
        """`largest`: of a body in one frame, as agreed with the broker."""
        self._channel = channel
        self._largest = largest
        method = spec.Basic.Publish(exchange=exchange, routing_key=destination, mandatory=True)
        self._publish: bytes = frame.Method(channel, method).marshal()
        self._destination = _text(headers.DESTINATION) + _long(destination.encode())
        self._destination += _number(headers.SEQUENCE)

    def frames(self, message: Outgoing) -> bytes:
        """Raises ValueError or struct.error for what AMQP cannot hold: a short text over 255 bytes."""
        delivery, appeal = message.delivery_id.encode(), message.appeal_id.encode()
        body, table = message.body, self._table(message, delivery, appeal)
        _, short_type = _type(message.type)
        _, seconds = _moment(message.created_at)
        size = _FIXED + len(table) + len(appeal) + len(delivery) + len(short_type)
        # The fields in the order in which they must follow.
        parts = [
            self._publish,
            _CONTENT(2, self._channel, size, spec.Basic.INDEX, 0, len(body), _FLAGS),
            _CONTENT_TYPE,
            _LENGTH(len(table)),
            table,
            _DELIVERY_MODE,
            _SHORT(len(appeal)),
            appeal,
            _SHORT(len(delivery)),
            delivery,
            seconds,
            short_type,
            _APP_ID_END,
        ]
        if 0 < len(body) <= self._largest:
            parts += (_FRAME(3, self._channel, len(body)), body, _END)
        else:
            parts += self._pieces(body)
        return b"".join(parts)

    def _table(self, message: Outgoing, delivery: bytes, appeal: bytes) -> bytes:
        """`headers.headers`, in its order."""
        long_type, _ = _type(message.type)
        moment, _ = _moment(message.created_at)
        trace = headers.traceparent(message.appeal_id, message.delivery_id)
        parts = (
            _ID,
            _LENGTH(len(delivery)),
            delivery,
            long_type,
            _LENGTH(len(appeal)),
            appeal,
            moment,
            self._destination,
            _NUMBERS(message.sequence, _ATTEMPT, message.attempt),
            _configuration(message.config_hash),
            sha256(message.body).hexdigest().encode(),
            _TRACEPARENT + _LENGTH(len(trace)) + trace.encode() if trace else b"",
        )
        return b"".join(parts)

    def _pieces(self, body: bytes) -> Iterator[bytes]:
        for at in range(0, len(body), self._largest):
            part = body[at : at + self._largest]
            yield from (_FRAME(3, self._channel, len(part)), part, _END)


@lru_cache(maxsize=64)
def _type(type_: str) -> tuple[bytes, bytes]:
    """In the table, up to the subject's length; and as a property."""
    return _TYPE + _long(type_.encode()) + _SUBJECT, _short(type_)


@lru_cache(maxsize=16)
def _moment(moment: datetime) -> tuple[bytes, bytes]:
    """In the table, and as a property."""
    written = _text(headers.CE_TIME) + _long(headers.written(moment).encode())
    return written, _TIME(int(moment.timestamp()))


@lru_cache(maxsize=16)
def _configuration(hash_: str) -> bytes:
    """Up to the digest, which follows it."""
    return _text(headers.CONFIG) + _long(hash_.encode()) + _SHA256
