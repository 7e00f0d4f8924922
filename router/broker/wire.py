"""
A whole message as AMQP bytes, written by hand: the publish, its header with our table, its body.

pika builds three objects a message and spends as much on a header table of twelve as on everything else.
The names never change, and within a page neither do the time and the configuration, so what stays the
same is written once; a test compares the bytes with pika's own. `Channel.basic_publish` with
`headers.headers` would do the same, slower.
"""

from __future__ import annotations

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
_INTEGER = Struct(">i").pack
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
_SEQUENCE, _ATTEMPT = _number(headers.SEQUENCE), _number(headers.ATTEMPT)
_SHA256 = _text(headers.SHA256)
_TRACEPARENT = _text(headers.TRACEPARENT)
_CONTENT_TYPE = _short(headers.CONTENT_TYPE)
_DELIVERY_MODE = bytes((headers.PERSISTENT,))
_APP_ID = _short(headers.APP_ID)


class Writer:
    """Writes the messages of one destination for one channel."""

    def __init__(self, channel: int, exchange: str, destination: str, largest: int) -> None:
        """`largest`: of a body in one frame, as agreed with the broker."""
        self._channel = channel
        self._largest = largest
        method = spec.Basic.Publish(exchange=exchange, routing_key=destination, mandatory=True)
        self._publish: bytes = frame.Method(channel, method).marshal()
        self._destination = _text(headers.DESTINATION) + _long(destination.encode()) + _SEQUENCE

    def frames(self, message: Outgoing) -> bytes:
        """Raises ValueError or struct.error for what AMQP cannot hold: a short text over 255 bytes."""
        properties = self._properties(message)
        body = message.body
        size = len(properties) + _CONTENT_SIZE
        content = _CONTENT(2, self._channel, size, spec.Basic.INDEX, 0, len(body), _FLAGS)
        if 0 < len(body) <= self._largest:
            begun = _FRAME(3, self._channel, len(body))
            return b"".join((self._publish, content, properties, _END, begun, body, _END))
        parts = [self._publish, content, properties, _END]
        for at in range(0, len(body), self._largest):
            part = body[at : at + self._largest]
            parts += (_FRAME(3, self._channel, len(part)), part, _END)
        return b"".join(parts)

    def _properties(self, message: Outgoing) -> bytes:
        table = self._table(message)
        # In the order in which the fields must follow.
        parts = (
            _CONTENT_TYPE,
            _LENGTH(len(table)),
            table,
            _DELIVERY_MODE,
            _short(message.appeal_id),
            _short(message.delivery_id),
            _seconds(message.created_at),
            _short(message.type),
            _APP_ID,
        )
        return b"".join(parts)

    def _table(self, message: Outgoing) -> bytes:
        """`headers.headers`, in its order."""
        trace = headers.traceparent(message.appeal_id, message.delivery_id)
        parts = (
            _ID,
            _long(message.delivery_id.encode()),
            _TYPE,
            _long(message.type.encode()),
            _SUBJECT,
            _long(message.appeal_id.encode()),
            _moment(message.created_at),
            self._destination,
            _INTEGER(message.sequence),
            _ATTEMPT,
            _INTEGER(message.attempt),
            _configuration(message.config_hash),
            _SHA256,
            _long(sha256(message.body).hexdigest().encode()),
            _TRACEPARENT + _long(trace.encode()) if trace else b"",
        )
        return b"".join(parts)


@lru_cache(maxsize=16)
def _seconds(moment: datetime) -> bytes:
    return _TIME(int(moment.timestamp()))


@lru_cache(maxsize=16)
def _moment(moment: datetime) -> bytes:
    return _text(headers.CE_TIME) + _long(headers.written(moment).encode())


@lru_cache(maxsize=16)
def _configuration(hash_: str) -> bytes:
    return _text(headers.CONFIG) + _long(hash_.encode())
