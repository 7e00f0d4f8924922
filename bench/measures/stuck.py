"""What fifty-nine units notice when the sixtieth takes nothing more: its queue is full and refuses."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pika

from bench import limit
from bench.measures.hub import prepared, running, wait_for_arrival
from bench.work import EXCHANGE, UNITS, HubAt, queue, source
from demo.servers.server import free_port

FULL_AT = 1
STUCK, *_OTHERS = UNITS
OTHERS = tuple(_OTHERS)


@dataclass(frozen=True)
class Stuck:
    """Items a second that reach the other units; the medians of the rounds."""

    healthy: float
    stuck: float
    ratio: float
    """Stuck against healthy, made within each round."""


def stuck_queue(amqp: str, items: int, rounds: int) -> Stuck:
    """Each round lets the same items through twice, without and with a full queue."""
    pairs = [(_per_s(amqp, items, full=False), _per_s(amqp, items, full=True)) for _ in range(rounds)]
    ratio = median(stuck / healthy for healthy, stuck in pairs)
    return Stuck(median(healthy for healthy, _ in pairs), median(stuck for _, stuck in pairs), ratio)


def _per_s(amqp: str, items: int, *, full: bool) -> float:
    limit.declare(amqp, UNITS)
    if full:
        _declare(amqp, {"x-max-length": FULL_AT, "x-overflow": "reject-publish"})
    try:
        with tempfile.TemporaryDirectory() as folder, source(items) as at:
            config = prepared(
                HubAt(Path(folder), amqp=amqp, source_url=at.url, front=free_port(), monitoring=free_port())
            )
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
