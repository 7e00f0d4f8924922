"""
The road to the broker: pika on a thread of its own, pipelined confirms, one answer for each message.

What a caller may rely on, beyond `router.ports.Publisher`:

- `confirmed` is this message's own ack with no return before it; every doubt is `unknown`.
- Each destination has its own FIFO and window; what one of them does holds up no other (P4).
- Of one (destination, appeal) one message at a time is on its way; if it is not confirmed, those
  behind it come back unsent, also those handed in before the failure was collected (P3).
- Handed in without a connection, a message waits; after `patience` it comes back unsent.
- `sent=False` on a verdict: certainly in no queue; that was no attempt.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from router.broker.handover import Seen, Surplus
from router.broker.lanes import Decided
from router.broker.link import parameters
from router.broker.sending import NOT_SENT_CLOSING, Sending, Surroundings
from router.broker.settings import BrokerSettings
from router.ports import Outgoing, Published


class PikaPublisher:
    """`router.ports.Publisher` on RabbitMQ. One thread calls; call `start` first and `close` last."""

    def __init__(
        self,
        settings: BrokerSettings,
        password: str | None,
        *,
        report: Callable[[str], None],
        random: Callable[[], float],
    ) -> None:
        self._backlog = settings.publisher.backlog
        self._held: dict[str, int] = {}
        self._closed = False
        where = parameters(settings.url, password, settings.link)
        self._sending = Sending(where, settings.publisher, settings.link, Surroundings(report, random))

    def start(self) -> None:
        """Begin to connect. Never waits for the broker."""
        self._sending.start()

    @property
    def is_connected(self) -> bool:
        """False while there is no open channel, or the broker has blocked us (alarm)."""
        return self._sending.is_connected()

    def room(self, destination: str) -> int:
        """How many more messages it would take; 0 while the destination rests, then 1 as a probe."""
        if self._closed:
            return 0
        held = self._held.get(destination, 0)
        probe_from = self._sending.lanes.resting(destination)
        if probe_from is None:
            return max(0, self._backlog - held)
        return 1 if not held and time.monotonic() >= probe_from else 0

    def publish(self, *messages: Outgoing) -> None:
        """Take the messages; beyond its room, or after `close`, one comes back unsent at once."""
        held, most = self._held, 0 if self._closed else self._backlog
        fitting: list[Outgoing] = []
        surplus: list[Outgoing] = []
        for message in messages:
            destination = message.destination
            count = held[destination] = held.get(destination, 0) + 1
            (fitting if count <= most else surplus).append(message)
        if fitting:
            self._sending.handover.put(fitting)
        for message in surplus:  # of its destination nothing that fits came after it
            if self._closed:
                self._give_back(message)
            else:
                self._sending.handover.put(Surplus(message))

    def outcomes(self, wait: timedelta) -> list[Published]:
        """What has been decided since the last call; waits up to `wait` for the first."""
        decided = self._sending.handover.decided
        if not decided and wait > timedelta(0):
            self._sending.handover.wait(wait.total_seconds())
        return self._collect([decided.popleft() for _ in range(len(decided))])

    def close(self, wait: timedelta) -> list[Published]:
        """Stop taking, wait for outstanding confirms, give the rest back as `unknown`. Harmless twice."""
        self._closed = True
        self._sending.finish(wait)
        return self.outcomes(timedelta(0))

    def _collect(self, decided: list[Decided]) -> list[Published]:
        held = self._held
        for published, broken_appeal in decided:
            held[published.destination] -= 1
            if broken_appeal and not self._closed:
                self._sending.handover.put(Seen(published.destination, broken_appeal))
        return [published for published, _ in decided]

    def _give_back(self, message: Outgoing) -> None:
        verdict = Published(
            message.delivery_id,
            message.generation,
            message.destination,
            "unknown",
            NOT_SENT_CLOSING,
            timedelta(0),
            sent=False,
        )
        self._sending.handover.decided.append((verdict, ""))
