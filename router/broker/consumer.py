"""
What comes back from the broker: recorded first, then acknowledged.

One connection of its own, so that an alarm which blocks publishers does not stop it. Bytes stay
bytes: neither kombu's Message (it would unpack a body whose header says `compression`, bombs too)
nor py-amqp's decoding by content_encoding touches them.

A batch is acknowledged with one ack once `record` has returned. If it raises, nothing is
acknowledged and the connection is closed, so that the broker hands everything over again. What
`record` cannot stand it must record as such: a message that makes it raise comes back for ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from amqp.exceptions import NotFound

from router.broker.connecting import connection
from router.broker.returned import returned
from router.broker.settings import BrokerSettings
from router.ports import Returned

IDLE_WAIT = 0.2
"""How long a stop may go unnoticed while nothing comes."""

Record = Callable[[Sequence[Returned]], None]


class Consumer:
    """Reads some queues for as long as it runs. `is_connected` may be asked from any thread."""

    def __init__(
        self,
        settings: BrokerSettings,
        password: str | None,
        queues: Sequence[str],
        record: Record,
        *,
        report: Callable[[str], None],
        random: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._password = password
        self._queues = tuple(queues)
        self._record = record
        self._report = report
        self._random = random
        self._batch: list[tuple[str, Any]] = []
        self._batch_since = 0.0
        self._failures = 0
        self._reported = ""
        self.is_connected = False

    def run(self, stop: threading.Event) -> None:
        """Until told to stop; the batch at hand is then recorded and acknowledged."""
        while not stop.is_set():
            since = time.monotonic()
            try:
                self._serve(stop)
            except Exception as error:
                if time.monotonic() - since > self._settings.link.longest_reconnect.total_seconds():
                    self._failures = 0
                self._say(_sentence(error))
                stop.wait(self._pause())
            finally:
                self.is_connected = False
                self._batch.clear()  # its tags died with the connection; the broker hands it over again

    def _serve(self, stop: threading.Event) -> None:
        with connection(self._settings, self._password, "suqiu consumer") as broker:
            broker.connect()
            channel = broker.channel()
            channel.auto_decode = False
            channel.basic_qos(0, self._settings.consumer.prefetch, False)
            for queue in self._queues:
                channel.basic_consume(queue, callback=partial(self._arrived, queue))
            self.is_connected = True
            self._say("")
            beat = time.monotonic()
            while not stop.is_set():
                self._drain(broker)
                if self._is_due():
                    self._commit(channel)
                if time.monotonic() - beat > self._settings.link.heartbeat.total_seconds() / 4:
                    beat = time.monotonic()
                    broker.heartbeat_check()
            self._commit(channel)

    def _drain(self, broker: Any) -> None:
        wait = IDLE_WAIT
        if self._batch:
            wait = self._settings.consumer.batch_time.total_seconds() + self._batch_since - time.monotonic()
        try:
            broker.drain_events(timeout=max(0.001, min(IDLE_WAIT, wait)))
        except TimeoutError:
            return

    def _arrived(self, queue: str, message: Any) -> None:
        if not self._batch:
            self._batch_since = time.monotonic()
        self._batch.append((queue, message))

    def _is_due(self) -> bool:
        settings = self._settings.consumer
        return len(self._batch) >= settings.batch or (
            bool(self._batch) and time.monotonic() - self._batch_since >= settings.batch_time.total_seconds()
        )

    def _commit(self, channel: Any) -> None:
        if not self._batch:
            return
        self._record([returned(queue, message) for queue, message in self._batch])
        channel.basic_ack(self._batch[-1][1].delivery_tag, multiple=True)
        self._batch.clear()
        self._failures = 0

    def _pause(self) -> float:
        first = self._settings.link.first_reconnect.total_seconds()
        longest = self._settings.link.longest_reconnect.total_seconds()
        pause = min(longest, first * float(2 ** min(self._failures, 16)))
        self._failures += 1
        return pause * (0.5 + self._random() / 2)

    def _say(self, trouble: str) -> None:
        """Each new state once, and the end of it."""
        if trouble and trouble != self._reported:
            self._report(trouble)
        elif not trouble and self._reported:
            self._report("reading from RabbitMQ again")
        self._reported = trouble


def _sentence(error: Exception) -> str:
    hint = "; create it with: suqiu topology apply" if isinstance(error, NotFound) else ""
    return f"what comes back from RabbitMQ is not read: {type(error).__name__}: {error}{hint}"[:400]
