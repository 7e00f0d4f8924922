"""
One queue of what comes back, on a connection of its own: recorded first, then acknowledged.

Bytes stay bytes: neither kombu's Message (it would unpack a body whose header says `compression`,
bombs too) nor py-amqp's decoding by content_encoding touches them.

A batch is acknowledged with one ack once `record` has returned. If it raises, nothing is
acknowledged and the connection is closed, so that the broker hands everything over again. What
`record` cannot stand it must record as such: a message that makes it raise comes back for ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from amqp.exceptions import NotFound

from router.broker.connecting import connection, cut_after
from router.broker.returned import returned
from router.broker.settings import BrokerSettings
from router.ports import Returned

IDLE_WAIT = 0.2
"""How long a stop may go unnoticed while nothing comes."""

Record = Callable[[Sequence[Returned]], None]


class Reader:
    """Run by one thread. `is_connected` may be asked from any."""

    def __init__(
        self,
        settings: BrokerSettings,
        password: str | None,
        queue: str,
        record: Record,
        *,
        report: Callable[[str], None],
        random: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._password = password
        self._queue = queue
        self._record = record
        self._report = report
        self._random = random
        self._batch: list[Any] = []
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
                self._say(f"{self._queue} is not read: {_sentence(error)}")
                stop.wait(self._pause())
            finally:
                self.is_connected = False
                self._batch.clear()  # its tags died with the connection; the broker hands it over again

    def _serve(self, stop: threading.Event) -> None:
        broker = connection(self._settings, self._password, f"suqiu reads {self._queue}")
        try:
            broker.connect()
            patience = self._settings.link.connect_timeout.total_seconds()
            with cut_after(broker, patience):
                channel = self._subscribe(broker)
            self.is_connected = True
            self._say("")
            self._read(broker, channel, stop)
            with cut_after(broker, patience):
                broker.release()
        finally:
            # Without a goodbye: it would wait for ever for a peer that is gone.
            broker.collect()

    def _subscribe(self, broker: Any) -> Any:
        channel = broker.channel()
        channel.auto_decode = False
        channel.basic_qos(0, self._settings.consumer.prefetch, False)
        channel.basic_consume(self._queue, callback=self._arrived)
        return channel

    def _read(self, broker: Any, channel: Any, stop: threading.Event) -> None:
        rhythm = self._settings.link.heartbeat.total_seconds() / 4
        beat = time.monotonic()
        while not stop.is_set():
            self._drain(broker)
            if self._is_due():
                self._commit(channel)
            if time.monotonic() - beat > rhythm:
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

    def _arrived(self, message: Any) -> None:
        if not self._batch:
            self._batch_since = time.monotonic()
        self._batch.append(message)

    def _is_due(self) -> bool:
        settings = self._settings.consumer
        return len(self._batch) >= settings.batch or (
            bool(self._batch) and time.monotonic() - self._batch_since >= settings.batch_time.total_seconds()
        )

    def _commit(self, channel: Any) -> None:
        """One read from the socket may bring several batches' worth."""
        size = self._settings.consumer.batch
        while self._batch:
            part = self._batch[:size]
            self._record([returned(self._queue, message) for message in part])
            channel.basic_ack(part[-1].delivery_tag, multiple=True)
            del self._batch[:size]
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
            self._report(f"{self._queue} is read again")
        self._reported = trouble


def _sentence(error: Exception) -> str:
    hint = "; create it with: suqiu topology apply" if isinstance(error, NotFound) else ""
    return f"{type(error).__name__}: {error}{hint}"[:400]
