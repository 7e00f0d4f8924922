"""Acks read out of the raw bytes are exactly those that pika would have read."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies
from pika import frame, spec

from router.broker.acks import SIZE, read_acks

OURS = (1, 7, 65535)


def ack(channel: int, tag: int, *, multiple: bool = False) -> bytes:
    written: bytes = frame.Method(channel, spec.Basic.Ack(tag, multiple)).marshal()
    return written


def read(data: bytes) -> tuple[list[tuple[int, int, bool]], int]:
    """Channel, tag, flag of each; and how far it was read."""
    found, at = read_acks(data, {channel: str(channel) for channel in OURS})
    return [(int(channel), tag, multiple) for channel, tag, multiple in found], at


def as_pika_reads(data: bytes) -> tuple[list[tuple[int, int, bool]], int]:
    """The same by pika, as long as it finds acks of ours."""
    found, at = [], 0
    while True:
        used, one = frame.decode_frame(data[at:])
        is_ours = one is not None and one.frame_type == spec.FRAME_METHOD and one.channel_number in OURS
        if not is_ours or not isinstance(one.method, spec.Basic.Ack):
            return found, at
        found.append((one.channel_number, one.method.delivery_tag, one.method.multiple))
        at += used


def test_an_ack_is_these_bytes() -> None:
    written = bytes.fromhex("01 0007 0000000d 003c 0050 0000000000000102 01 ce")
    assert ack(7, 258, multiple=True) == written
    assert len(written) == SIZE
    assert read(written) == ([(7, 258, True)], SIZE)


OTHERS = {
    "a nack": frame.Method(7, spec.Basic.Nack(3, False, False)).marshal(),
    "an ack on a channel that nobody told us of": ack(8, 3),
    "a return": frame.Method(7, spec.Basic.Return(312, "NO_ROUTE", "suqiu.deliver", "rsj")).marshal(),
    "a header": frame.Header(7, 2, spec.BasicProperties(message_id="m")).marshal(),
    "a body that looks like an ack": frame.Body(7, ack(7, 4)).marshal(),
    "a heartbeat": frame.Heartbeat().marshal(),
    "a closing": frame.Method(7, spec.Channel.Close(404, "NOT_FOUND", 60, 40)).marshal(),
    "the beginning of an ack": ack(7, 5)[:-1],
    "nothing": b"",
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_at_anything_else_it_stops_and_leaves_the_rest(other: bytes) -> None:
    before = ack(7, 1) + ack(1, 2**64 - 1, multiple=True)
    for behind in (b"", ack(7, 6)):
        if other == b"" and behind:
            continue
        data = before + other + behind
        if other == ack(7, 5)[:-1]:
            data = before + other  # what follows would complete it
        assert read(data) == ([(7, 1, False), (1, 2**64 - 1, True)], len(before))
        assert read(data) == as_pika_reads(data)


@pytest.mark.parametrize("place", [0, *range(3, 11), SIZE - 1])
def test_one_byte_that_is_wrong_makes_it_none_of_ours(place: int) -> None:
    data = bytearray(ack(7, 5))
    data[place] ^= 1
    assert read(bytes(data)) == ([], 0)


_acks = strategies.builds(
    ack, strategies.sampled_from(OURS), strategies.integers(0, 2**64 - 1), multiple=strategies.booleans()
)


@given(strategies.lists(_acks | strategies.sampled_from(list(OTHERS.values())), max_size=8))
def test_it_reads_what_pika_reads_however_much_has_come(frames: list[bytes]) -> None:
    frames = [one for one in frames if one != OTHERS["the beginning of an ack"]]
    data = b"".join(frames)
    for end in range(0, len(data) + 1, 5):
        assert read(data[:end]) == as_pika_reads(data[:end])
    assert read(data) == as_pika_reads(data)
