"""What fifty-nine units notice when the sixtieth takes nothing more: its queue is full and refuses."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pika

from bench import limit
from bench.hub import prepared, running
from bench.measures.trouble import Trouble, compare
from bench.watching import wait_for_arrival
from bench.work import EXCHANGE, UNITS, HubAt, queue, source

FULL_AT = 1
STUCK, *_OTHERS = UNITS
OTHERS = tuple(_OTHERS)


def stuck_queue(amqp: str, items: int, rounds: int) -> Trouble:
    """Items a second to the other units, without and with a full queue."""
    return compare(lambda full: _per_s(amqp, items, full=full), rounds)


def _per_s(amqp: str, items: int, *, full: bool) -> float:
    limit.declare(amqp, UNITS)
    if full:
        _declare(amqp, {"x-max-length": FULL_AT, "x-overflow": "reject-publish"})
    try:
        with tempfile.TemporaryDirectory() as folder, source(items) as at:
            config = prepared(HubAt(Path(folder), amqp=amqp, source_url=at.url))
            with running(config):
                began = at.began()
                ended = wait_for_arrival(amqp, items, units=OTHERS)
        if full:
            _must_be_stuck(amqp, items)
    finally:
        if full:
            _declare(amqp, {})
    limit.declare(amqp, UNITS)
    return len(_numbers(items)) / (ended - began)


def _numbers(items: int) -> Sequence[int]:
    """The items of the other units."""
    return [number for number in range(items) if UNITS[number % len(UNITS)] != STUCK]


def _must_be_stuck(amqp: str, items: int) -> None:
    """A queue that took everything would make a fine ratio, and say nothing."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp))
    held = connection.channel().queue_declare(queue(STUCK), passive=True).method.message_count
    connection.close()
    if held >= items // len(UNITS):
        raise AssertionError(f"{queue(STUCK)} was to refuse, but holds {held} messages")


def _declare(amqp: str, more: dict[str, str | int]) -> None:
    """The one queue anew. A policy would do the same; arguments need nobody's rights but ours."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp))
    channel = connection.channel()
    channel.queue_delete(queue(STUCK))
    channel.queue_declare(queue(STUCK), durable=True, arguments={"x-queue-type": "quorum", **more})
    channel.queue_bind(queue(STUCK), EXCHANGE, STUCK)
    connection.close()
