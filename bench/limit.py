"""The broker's limit: pika with pipelined confirms, ready bodies, many quorum queues, no work."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Sequence

import pika

from router.broker.topology import DEAD, UNROUTED


def declare(url: str, queues: Sequence[str]) -> None:
    """The destinations' quorum queues on `suqiu.deliver`, emptied; and the two that a hub reads itself."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.exchange_declare("suqiu.deliver", "direct", durable=True)
    for queue in queues:
        name = f"suqiu.dest.{queue}"
        channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(name, "suqiu.deliver", queue)
        channel.queue_purge(name)
    for name in (DEAD, UNROUTED):
        channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
    connection.close()


class RawPublisher:
    """Publishes `total` persistent, mandatory messages round robin; at most `window` unconfirmed."""

    def __init__(self, url: str, queues: Sequence[str], body: bytes, total: int, window: int = 1000) -> None:
        self._queues = itertools.cycle(queues)
        self._body, self._total, self._window = body, total, window
        self._sent = self._confirmed = 0
        self._began = self.seconds = 0.0
        self._open: deque[int] = deque()
        self._early: set[int] = set()
        """Acked out of order, while an older one is still open."""
        self._properties = pika.BasicProperties(delivery_mode=2, content_type="application/json")
        self._connection = pika.SelectConnection(
            pika.URLParameters(url), on_open_callback=lambda c: c.channel(on_open_callback=self._opened)
        )

    def run(self) -> float:
        """Seconds from the first publish to the last confirm."""
        self._connection.ioloop.start()
        return self.seconds

    def _opened(self, channel: pika.channel.Channel) -> None:
        self._channel = channel
        channel.confirm_delivery(self._answered, callback=lambda _frame: self._begin())

    def _begin(self) -> None:
        self._began = time.perf_counter()
        self._fill()

    def _fill(self) -> None:
        while self._sent < self._total and self._sent - self._confirmed < self._window:
            self._sent += 1
            self._open.append(self._sent)
            self._channel.basic_publish(
                "suqiu.deliver", next(self._queues), self._body, self._properties, mandatory=True
            )

    def _answered(self, frame: pika.frame.Method) -> None:
        method = frame.method
        if method.multiple:
            while self._open and self._open[0] <= method.delivery_tag:
                self._settle(self._open.popleft())
        elif self._open and self._open[0] == method.delivery_tag:
            self._settle(self._open.popleft())
        else:
            self._early.add(method.delivery_tag)
        if self._confirmed >= self._total:
            self.seconds = time.perf_counter() - self._began
            self._connection.close()
            self._connection.ioloop.stop()
        elif self._sent - self._confirmed < self._window // 2:
            self._fill()

    def _settle(self, tag: int) -> None:
        self._early.discard(tag)
        self._confirmed += 1
        while self._open and self._open[0] in self._early:
            self._early.discard(self._open.popleft())
            self._confirmed += 1
