"""What the publisher's tests share: messages, settings with short times, a topology, a reader of queues."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pika

from router.broker.management import Management
from router.broker.publisher import PikaPublisher
from router.broker.settings import BrokerSettings, LinkSettings, PublisherSettings
from router.broker.topology import AmqpDestination, Limits, topology
from router.ports import Outgoing, Published
from tests.servers import VirtualHost

AT = datetime(2026, 5, 6, 7, 8, 9, 123000, tzinfo=UTC)
SHORT = timedelta(milliseconds=100)
REFUSED = Limits(max_length=5)


def outgoing(destination: str = "rsj", *, body: bytes = b"{}", **changes: Any) -> Outgoing:
    """A message of an appeal of its own, unless told otherwise."""
    given: dict[str, Any] = {
        "delivery_id": str(uuid.uuid4()),
        "generation": 1,
        "destination": destination,
        "appeal_id": str(uuid.uuid4()),
        "sequence": 1,
        "attempt": 1,
        "type": "task.created",
        "body": body,
        "config_hash": "c" * 64,
        "created_at": AT,
    }
    return Outgoing(**(given | changes))


def settings(url: str, management: str | None = None, link: Any = None, **publisher: Any) -> BrokerSettings:
    times = {"first_reconnect": "100ms", "longest_reconnect": "1s", "connect_timeout": "3s"}
    return BrokerSettings(
        url=url,
        management=management,
        publisher=PublisherSettings(**publisher),
        link=LinkSettings(**(times | (link or {}))),
    )


@contextmanager
def publishing(
    url: str, *, said: list[str] | None = None, link: Any = None, **publisher: Any
) -> Iterator[PikaPublisher]:
    """A running publisher; closed afterwards, whatever the test did."""
    report = said.append if said is not None else _ignore
    one = PikaPublisher(settings(url, link=link, **publisher), None, report=report, random=lambda: 0.5)
    one.start()
    try:
        yield one
    finally:
        one.close(timedelta(seconds=1))


def _ignore(_sentence: str) -> None:
    return None


@contextmanager
def at_work(run: Callable[[threading.Event], None], *, ends_within: float = 10) -> Iterator[None]:
    """In a thread of its own, until the block ends; that it then ends by itself is part of every test."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(ends_within)
        assert not thread.is_alive()


def until(claim: Callable[[], Any], within: float = 15.0) -> Any:
    """Wait for something to become true; it failing to is the test's failure."""
    end = time.monotonic() + within
    while not (value := claim()):
        assert time.monotonic() < end, f"not within {within} s"
        time.sleep(0.01)
    return value


def collect(publisher: PikaPublisher, count: int, within: float = 15.0) -> list[Published]:
    """Exactly so many outcomes, and no more a moment later."""
    found: list[Published] = []
    end = time.monotonic() + within
    while len(found) < count and time.monotonic() < end:
        found += publisher.outcomes(SHORT)
    found += publisher.outcomes(SHORT)
    assert len(found) == count
    return found


def lay_out(vhost: VirtualHost, *destinations: str, limits: Limits | None = None) -> None:
    """Exchanges, queues, bindings and policies for these destinations."""
    wanted = topology([AmqpDestination(one) for one in destinations], limits)
    assert management(vhost).apply(wanted) == []


def management(vhost: VirtualHost) -> Management:
    return Management(settings(vhost.url, vhost.management_url), None)


def drain(url: str, queue: str) -> list[tuple[Any, bytes]]:
    """Everything that lies in a queue, as any AMQP client reads it: properties and body."""
    with open_channel(url) as channel:
        found = []
        while True:
            method, properties, body = channel.basic_get(queue, auto_ack=True)
            if method is None:
                return found
            found.append((properties, body))


@contextmanager
def open_channel(url: str) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


def through(url: str, port: int) -> str:
    """The same URL by way of a proxy."""
    parts = urlsplit(url)
    credentials = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}"))
