"""Units that consume their queues with an ordinary AMQP client, acknowledging each message by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import pika
from pika.exceptions import AMQPError

from demo.units.desk import UnitDesk

QUEUE = "suqiu.dest.{}"
PREFETCH = 50
PAUSE = 1.0


class AmqpUnits:
    """All units of one process on one connection; ends when `stop` is set."""

    def __init__(self, desks: Sequence[UnitDesk], url: str, stop: threading.Event) -> None:
        self._desks = desks
        self._parameters = pika.URLParameters(url)
        self._stop = stop

    def run(self) -> None:
        """Come back after every lost connection: what was not acknowledged is handed over again."""
        while not self._stop.is_set():
            try:
                self._consume()
            except (AMQPError, OSError):
                self._stop.wait(PAUSE)

    def _consume(self) -> None:
        connection = pika.BlockingConnection(self._parameters)
        channel = connection.channel()
        channel.basic_qos(prefetch_count=PREFETCH)
        for desk in self._desks:
            channel.basic_consume(QUEUE.format(desk.unit), partial(self._take, desk))
        while not self._stop.is_set():
            connection.process_data_events(time_limit=0.2)
        connection.close()

    def _take(self, desk: UnitDesk, channel: Any, method: Any, _: Any, body: bytes) -> None:
        if desk.take(json.loads(body)):
            channel.basic_ack(method.delivery_tag)
        else:
            channel.basic_reject(method.delivery_tag, requeue=False)
