"""
Acks out of the bytes that the broker sent, without pika's objects for each.

A Basic.Ack is 21 bytes, always the same but for channel, tag and flag:

    01 | channel 2 | 00 00 00 0d | 00 3c 00 50 | delivery tag 8 | multiple 1 | ce

What looks different in any byte is not an ack of ours, and pika's to read or to complain of.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import TypeVar

from pika import spec

Whose = TypeVar("Whose")

_FRAME = Struct(">BHIIQBB")
SIZE = _FRAME.size
_PAYLOAD = 13
"""What the frame's length counts: class, method, tag, flag."""


def read_acks(data: bytes, channels: Mapping[int, Whose]) -> tuple[list[tuple[Whose, int, bool]], int]:
    """The acks that `data` begins with, and how many bytes they are: whose channel it is, the delivery
    tag, whether it stands for all up to it. An ack on any other channel ends them, as another frame does."""
    found: list[tuple[Whose, int, bool]] = []
    at, end = 0, len(data) - SIZE
    while at <= end:
        kind, channel, size, method, tag, flags, last = _FRAME.unpack_from(data, at)
        whose = channels.get(channel)
        if (
            method != spec.Basic.Ack.INDEX
            or kind != spec.FRAME_METHOD
            or size != _PAYLOAD
            or last != spec.FRAME_END
            or whose is None
        ):
            break
        found.append((whose, tag, bool(flags & 1)))
        at += SIZE
    return found, at
