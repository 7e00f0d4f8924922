"""
A message's properties, written as AMQP by hand.

pika spends as much on a header table of twelve as on everything else of a message. The names never
change, so they are written once; a test compares the bytes with pika's own. Should a pika release
stop asking `encode`, plain `pika.BasicProperties` in `Link.send` does the same, slower.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

import pika

from router.broker import headers
from router.ports import Outgoing

# In the order in which the fields must follow.
_FLAGS = (
    pika.BasicProperties.FLAG_CONTENT_TYPE
    | pika.BasicProperties.FLAG_HEADERS
    | pika.BasicProperties.FLAG_DELIVERY_MODE
    | pika.BasicProperties.FLAG_CORRELATION_ID
    | pika.BasicProperties.FLAG_MESSAGE_ID
    | pika.BasicProperties.FLAG_TIMESTAMP
    | pika.BasicProperties.FLAG_TYPE
    | pika.BasicProperties.FLAG_APP_ID
).to_bytes(2, "big")
_LENGTH = Struct(">I").pack
_INTEGER = Struct(">i").pack
_TIME = Struct(">Q").pack


def _short(text: str) -> bytes:
    raw = text.encode()
    return bytes((len(raw),)) + raw


_TEXT_KEY = {name: _short(name) + b"S" for name in headers.KNOWN}
_NUMBER_KEY = {name: _short(name) + b"I" for name in headers.KNOWN}
_CONTENT_TYPE = _short(headers.CONTENT_TYPE)
_DELIVERY_MODE = bytes((headers.PERSISTENT,))
_APP_ID = _short(headers.APP_ID)


class Properties(pika.BasicProperties):  # type: ignore[misc]  # pika has no types
    """What `Link.send` hands to pika."""

    def __init__(self, message: Outgoing) -> None:
        """Raises ValueError or struct.error for what AMQP cannot hold: a short text over 255 bytes."""
        super().__init__()
        table = _table(headers.headers(message))
        self._written = [
            _FLAGS,
            _CONTENT_TYPE,
            _LENGTH(len(table)),
            table,
            _DELIVERY_MODE,
            _short(message.appeal_id),
            _short(message.delivery_id),
            _TIME(int(message.created_at.timestamp())),
            _short(message.type),
            _APP_ID,
        ]

    def encode(self) -> list[bytes]:
        return [*self._written]  # pika puts its own bytes in front, into this very list


def _table(entries: dict[str, str | int]) -> bytes:
    parts: list[Any] = []
    for name, value in entries.items():
        if isinstance(value, str):
            raw = value.encode()
            parts += (_TEXT_KEY[name], _LENGTH(len(raw)), raw)
        else:
            parts += (_NUMBER_KEY[name], _INTEGER(value))
    return b"".join(parts)
