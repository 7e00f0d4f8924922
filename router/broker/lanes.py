"""
Which message may go to the broker next, and what a verdict on one means for those behind it.

No I/O and no clock of its own, so that every order of events can be tried in a test.

Each destination has a lane of its own: a FIFO, a window of unconfirmed messages, and a rest when it
refuses or does not answer. After a rest one message is sent as a probe; its confirm opens the lane.

Order (P3): of one appeal only one message per lane is on its way. The later ones hang behind it as
its chain. When it is not confirmed, the chain comes back unsent: sent on, it might overtake the
first one's next attempt. For the same reason a message of that appeal which was handed in before
the caller could know of the failure comes back unsent too (`broken`, until `seen`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from router.broker.settings import PublisherSettings
from router.ports import Outgoing, Published, Verdict


@dataclass(slots=True, eq=False)
class Flight:
    """One message between being handed in and being decided."""

    message: Outgoing
    lane: Lane
    taken_at: float
    sent_at: float = 0.0
    returned: str = ""
    """The broker's words when it returned the message; its ack is still to come."""


@dataclass(slots=True, eq=False)
class Lane:
    """One destination's messages."""

    waiting: deque[Flight] = field(default_factory=deque)
    chains: dict[str, deque[Flight] | None] = field(default_factory=dict)
    """Appeal → what waits behind its first message; a key for every appeal in the lane."""
    broken: dict[str, int] = field(default_factory=dict)
    """Appeal → failures that the caller has not seen yet."""
    unconfirmed: int = 0
    failures: int = 0
    rested_at: float = 0.0
    rests_until: float = 0.0


Decided = tuple[Published, str]
"""A verdict, and for anything but `confirmed` the appeal whose order it broke."""

NOT_SENT_ORDER = "not sent: an earlier message of this appeal to this destination was not confirmed"
NOT_SENT_ROOM = "not sent: there was no room for this destination"
NOT_SENT_PATIENCE = "not sent: it waited too long for its turn"
TOO_LARGE = "not sent: a body of {} bytes, and {} are allowed (broker.publisher.max_body)"


class Lanes:
    """All lanes. For one thread, except `resting`, which any thread may ask."""

    def __init__(
        self, settings: PublisherSettings, decided: deque[Decided], random: Callable[[], float]
    ) -> None:
        self._bytes = settings.unconfirmed_bytes
        self._max_body = settings.max_body
        self._patience = settings.patience.total_seconds()
        self._pauses = settings.first_pause.total_seconds(), settings.longest_pause.total_seconds()
        self._decided = decided
        self._random = random
        self._lanes: dict[str, Lane] = {}
        self._ready: dict[str, Lane] = {}
        self.unconfirmed = 0
        self.unconfirmed_bytes = 0

    def resting(self, destination: str) -> float | None:
        """None while all is well, else the time from which one message may probe."""
        lane = self._lanes.get(destination)
        return lane.rests_until if lane is not None and lane.failures else None

    def take(self, messages: Iterable[Outgoing], now: float) -> None:
        """Queue them; or give one straight back when its appeal's order is broken."""
        lanes, ready, most = self._lanes, self._ready, self._max_body
        for message in messages:
            _, _, destination, appeal_id, _, _, _, body, _, _ = message
            lane = lanes.get(destination) or self._lane(destination)
            flight = Flight(message, lane, now)
            if lane.broken or appeal_id in lane.chains or len(body) > most:
                self._take_with_care(flight, now)
            else:
                lane.chains[appeal_id] = None
                lane.waiting.append(flight)
                ready[destination] = lane

    def _take_with_care(self, flight: Flight, now: float) -> None:
        lane, message = flight.lane, flight.message
        if message.appeal_id in lane.broken:
            self._decide(flight, "unknown", NOT_SENT_ORDER, now)
        elif len(message.body) > self._max_body:
            self._decide(flight, "refused", TOO_LARGE.format(len(message.body), self._max_body), now)
        elif message.appeal_id in lane.chains:
            chain = lane.chains[message.appeal_id]
            if chain is None:
                chain = lane.chains[message.appeal_id] = deque()
            chain.append(flight)
        else:
            lane.chains[message.appeal_id] = None
            lane.waiting.append(flight)
            self._ready[message.destination] = lane

    def turn_away(self, message: Outgoing, now: float) -> None:
        """There was no room for it. Unsent, and its appeal's order is broken until the caller knows."""
        self._decide(Flight(message, self._lane(message.destination), now), "unknown", NOT_SENT_ROOM, now)

    def seen(self, destination: str, appeal_id: str) -> None:
        """The caller knows of one failure; what it hands in from now on is in order again."""
        lane = self._lanes[destination]
        if lane.broken[appeal_id] == 1:
            del lane.broken[appeal_id]
        else:
            lane.broken[appeal_id] -= 1

    @property
    def has_ready(self) -> bool:
        """Whether it is worth asking for `departures`."""
        return bool(self._ready)

    def departures(self, now: float, window: Callable[[str], int]) -> Iterator[Flight]:
        """What may be sent now, counted as sent. `window`: how many unconfirmed a destination may have."""
        for destination in list(self._ready):
            lane = self._ready[destination]
            if now < lane.rests_until or not (bears := window(destination)):
                continue
            bears = 1 if lane.failures else bears
            waiting = lane.waiting
            while waiting and lane.unconfirmed < bears:
                size = len(waiting[0].message.body)
                if self.unconfirmed and self.unconfirmed_bytes + size > self._bytes:
                    return
                flight = waiting.popleft()
                flight.sent_at = now
                lane.unconfirmed += 1
                self.unconfirmed += 1
                self.unconfirmed_bytes += size
                yield flight
            del self._ready[destination]

    def acked(self, flights: Iterable[Flight], now: float) -> None:
        """The own ack of each came: confirmed, if no return came before it."""
        decided = self._decided
        for flight in flights:
            if flight.returned:
                self.give_back(flight, flight.returned, now)
                continue
            lane, sent_at = flight.lane, flight.sent_at
            delivery_id, generation, destination, appeal_id, _, _, _, _, _, _ = flight.message
            self._land(flight)
            if chain := lane.chains.pop(appeal_id):
                lane.waiting.appendleft(chain.popleft())
                lane.chains[appeal_id] = chain
                self._ready[destination] = lane
            if lane.failures and sent_at >= lane.rested_at:
                lane.failures, lane.rests_until = 0, 0.0
            took = timedelta(0, now - sent_at)
            decided.append((Published(delivery_id, generation, destination, "confirmed", "", took), ""))

    def refuse(self, flight: Flight, detail: str, now: float) -> None:
        """Nacked. The lane rests: a full queue is not asked a thousand times a second."""
        self._land(flight)
        self._rest(flight.lane, now)
        self._fail(flight, "refused", detail, now)

    def unfit(self, flight: Flight, detail: str, now: float) -> None:
        """It cannot be written as AMQP at all, and has not been."""
        flight.sent_at = 0.0
        self._land(flight)
        self._fail(flight, "refused", detail, now)

    def give_back(self, flight: Flight, detail: str, now: float) -> None:
        """Returned: no queue is bound. The lane goes on, since each message is parked just once."""
        self._land(flight)
        self._fail(flight, "returned", detail, now)

    def lose(self, flight: Flight, detail: str, now: float) -> None:
        """Sent, and no answer will be waited for any more."""
        self._land(flight)
        self._fail(flight, "unknown", detail, now)

    def rest(self, destination: str, now: float) -> None:
        """It did not answer, or its channel failed: leave it alone for a while."""
        self._rest(self._lane(destination), now)

    def tick(self, now: float) -> None:
        """Give back what waited too long; wake lanes whose rest is over."""
        for destination, lane in self._lanes.items():
            while lane.waiting and now - lane.waiting[0].taken_at >= self._patience:
                self._fail(lane.waiting.popleft(), "unknown", NOT_SENT_PATIENCE, now)
            if lane.waiting:
                self._ready[destination] = lane

    def empty(self, detail: str, now: float) -> None:
        """Give back everything that is still unsent."""
        for lane in self._lanes.values():
            while lane.waiting:
                self._fail(lane.waiting.popleft(), "unknown", detail, now)
        self._ready.clear()

    def _lane(self, destination: str) -> Lane:
        lane = self._lanes.get(destination)
        if lane is None:
            lane = self._lanes[destination] = Lane()
        return lane

    def _land(self, flight: Flight) -> None:
        flight.lane.unconfirmed -= 1
        self.unconfirmed -= 1
        self.unconfirmed_bytes -= len(flight.message.body)
        if flight.lane.waiting:
            self._ready[flight.message.destination] = flight.lane

    def _rest(self, lane: Lane, now: float) -> None:
        if now < lane.rests_until:
            return
        first, longest = self._pauses
        pause = min(longest, first * 2 ** min(lane.failures, 16))
        lane.failures += 1
        lane.rested_at = now
        lane.rests_until = now + pause * (0.5 + self._random() / 2)

    def _fail(self, flight: Flight, verdict: Verdict, detail: str, now: float) -> None:
        lane, appeal = flight.lane, flight.message.appeal_id
        self._decide(flight, verdict, detail, now)
        for follower in lane.chains.pop(appeal, None) or ():
            self._decide(follower, "unknown", NOT_SENT_ORDER, now)

    def _decide(self, flight: Flight, verdict: Verdict, detail: str, now: float) -> None:
        message = flight.message
        flight.lane.broken[message.appeal_id] = flight.lane.broken.get(message.appeal_id, 0) + 1
        since = flight.sent_at or flight.taken_at
        self._decided.append(
            (
                Published(
                    message.delivery_id,
                    message.generation,
                    message.destination,
                    verdict,
                    detail,
                    timedelta(seconds=now - since),
                    sent=flight.sent_at > 0 or verdict == "refused",
                ),
                message.appeal_id,
            )
        )
