"""
Relay: what is due in the ledger goes to the broker, and what the broker said is written down.

One thread turns: publish what the intake handed over, claim what else is due where the publisher has
room, write down in one transaction what was decided. A kill at any point leaves deliveries leased;
when the lease ends they are published again under the same message id. The broker being away uses up
no attempts: the ledger keeps, and the relay goes on when the broker is back.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.crashpoints import crashpoint
from router.errors import LedgerUnavailable, PermanentError, told
from router.events import (
    AttemptFailed,
    Confirmed,
    DeadLettered,
    DeliveriesPublished,
    DeliveryParked,
    Event,
    Observer,
    Trouble,
)
from router.flows.dispatching import Dispatching
from router.flows.outbox import Claimed, Finish, Outbox, Settled, Want
from router.ports import Clock, Outgoing, Published, Publisher
from router.reasons import Reason, Stage

LOOK_AGAIN = timedelta(milliseconds=250)
"""The longest that an idle relay goes without a look into the ledger; what another process committed is
seen then. While there is something each time, it looks every GATHER."""
SMALL_TURN = 500
GATHER = timedelta(milliseconds=25)
"""A turn that claimed few messages is followed by this pause, unless something is handed over, so that
the next one claims more: small transactions would keep the intake from the ledger's one writer."""
SETTLE_WITHIN = timedelta(milliseconds=100)
"""Outcomes wait so long for others to be written down with, unless they are SMALL_TURN already. A kill
meanwhile means that so many are published twice."""
TROUBLE_PAUSE = timedelta(seconds=1)
CLOSING_WAIT = timedelta(seconds=10)
"""How long a graceful stop waits for outstanding confirms."""
PROBE = 1
"""The room of a destination that refused and may be asked again, with nothing of it in hand."""
LEAST_LEASE = 2 / 3
"""Of the lease must be left when a message goes to the publisher; so long it may sit there."""
FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class RelayTools:
    """What the relay works with."""

    outbox: Outbox
    publisher: Publisher
    dispatching: Dispatching
    clock: Clock
    announce: Observer


class Relay:
    """Run by one thread. `finish` says per AMQP destination when its delivery counts as finished.

    `lease` must be longer than the publisher can sit on a message: no one else may publish what we
    still wait for.
    """

    def __init__(self, tools: RelayTools, finish: dict[str, Finish], *, room: int, lease: timedelta) -> None:
        self._tools = tools
        self.lease = lease
        self._finish = finish
        self._worth = max(1, room // 2)
        self._attempts: dict[tuple[str, int], int] = {}
        self._decided: list[Published] = []
        self._settle_at: datetime | None = None
        self._look_at: datetime | None = None
        self._pause = LOOK_AGAIN
        self._behind = set(finish)
        """Destinations that have more in the ledger than was claimed last."""
        self._handed: deque[tuple[Sequence[Claimed], datetime]] = deque()
        self._news = threading.Event()
        self._is_ending = False

    # For the intake: the port Express.

    def bears(self, destination: str) -> int:
        """Half of the room is kept for what is claimed, so that neither keeps the other waiting."""
        publisher = self._tools.publisher
        is_ours = destination in self._finish and destination not in self._behind
        if not is_ours or self._is_ending or not publisher.is_connected:
            return 0
        free = publisher.room(destination) - self._worth
        if free <= 0:
            self._behind.add(destination)
        return max(0, free)

    def hand(self, claimed: Sequence[Claimed], until: datetime) -> None:
        self._handed.append((claimed, until))
        self._news.set()
        if self._is_ending:
            self._give_back_handed()

    def wake(self) -> None:
        """Something was committed; look soon. Any thread may call this."""
        self._look_at = None

    # For the relay's own thread.

    def run(self, stop: threading.Event) -> None:
        """Turn until told to stop, then finish: wait for confirms, settle, give back the rest."""
        while not stop.is_set():
            try:
                if self.turn() < SMALL_TURN:
                    self._news.wait(GATHER.total_seconds())
            except Exception as error:  # the edge of this flow: leases end, and all is claimed again
                self._trouble(error)
                stop.wait(TROUBLE_PAUSE.total_seconds())
        self._is_ending = True
        try:
            self._give_back_handed()
            self._decided += self._tools.publisher.close(CLOSING_WAIT)
            self._settle(closing=True)
        except LedgerUnavailable as error:
            self._trouble(error)

    def _trouble(self, error: Exception) -> None:
        self._tools.announce(Trouble(self._tools.clock(), "relay", told(error)))

    def turn(self) -> int:
        """How much was moved."""
        self._news.clear()
        self._send_handed()
        now = self._tools.clock()
        self._decided += self._tools.publisher.outcomes(timedelta(0))
        if self._decided and self._settle_at is None:
            self._settle_at = now + SETTLE_WITHIN
        many = len(self._decided) >= SMALL_TURN
        settled = self._settle() if many or (self._settle_at and now >= self._settle_at) else 0
        return settled + self._claim()

    def _send_handed(self) -> None:
        """What the intake had leased for us. Late, the lease would end while the publisher sits on it."""
        while self._handed:
            claimed, until = self._handed.popleft()
            if until - self._tools.clock() > self.lease * LEAST_LEASE:
                self._publish_all(claimed)
            else:
                self._give_back(claimed)

    def _give_back_handed(self) -> None:
        while self._handed:
            self._give_back(self._handed.popleft()[0])

    def _give_back(self, claimed: Sequence[Claimed]) -> None:
        handed = [(one.delivery_id, one.generation) for one in claimed]
        self._tools.outbox.release(handed, self._tools.clock())

    def _claim(self) -> int:
        now = self._tools.clock()
        if not self._tools.publisher.is_connected or (self._look_at and now < self._look_at):
            return 0
        self._look_at = now + GATHER
        wants = self._wants()
        claims = self._tools.outbox.claim(wants, now, now + self.lease) if wants else []
        self._publish_all(claims)
        self._catch_up(wants, claims)
        self._look_again(now, found=bool(claims))
        return len(claims)

    def _look_again(self, now: datetime, *, found: bool) -> None:
        """Soon while there is work that other processes record, ever later while there is none."""
        self._pause = GATHER if found else min(2 * self._pause, LOOK_AGAIN)
        if found and self._behind:
            self._look_at = None
        elif self._look_at is not None:  # nobody said meanwhile that there is more
            self._look_at = now + self._pause

    def _catch_up(self, wants: Collection[Want], claims: Collection[Claimed]) -> None:
        """Where less came than was asked for, nothing else is due."""
        came = Counter(claimed.destination for claimed in claims)
        for want in wants:
            if came[want.destination] < want.limit:
                self._behind.discard(want.destination)
            else:
                self._behind.add(want.destination)

    def _publish_all(self, claims: Sequence[Claimed]) -> None:
        if not claims:
            return
        crashpoint("relay.after_claim")
        middle = len(claims) // 2 + 1
        self._publish(claims[:middle])
        crashpoint("relay.mid_publish")
        self._publish(claims[middle:])

    def _wants(self) -> list[Want]:
        """Few, large claims: a destination is asked for again when half its room is free, or as a probe."""
        room = self._tools.publisher.room
        return [
            Want(destination, free, finish)
            for destination, finish in self._finish.items()
            if (free := room(destination)) >= self._worth or free == PROBE
        ]

    def _publish(self, claims: Sequence[Claimed]) -> None:
        """What has a body goes out, even if there is trouble over another one."""
        outgoing = self._tools.dispatching.outgoing
        made: list[Outgoing] = []
        unfit: list[tuple[Claimed, str]] = []
        try:
            for claimed in claims:
                try:
                    made.append(outgoing(claimed))
                except PermanentError as error:
                    unfit.append((claimed, str(error)))
                else:
                    if claimed.attempts:
                        self._attempts[claimed.delivery_id, claimed.generation] = claimed.attempts
        finally:
            self._tools.publisher.publish(*made)
            for one, why in unfit:
                self._bury(one, why)

    def _bury(self, claimed: Claimed, why: str) -> None:
        tools, reason = self._tools, Reason.MAPPING_FAILED
        verdict = Settled(claimed.delivery_id, claimed.generation, "dead", reason, why)
        tools.outbox.settle([verdict], tools.clock())
        tools.announce(DeadLettered(tools.clock(), Stage.PUBLISH, reason, None, claimed.destination))

    def _settle(self, *, closing: bool = False) -> int:
        """Write down what was decided; how much. While the ledger is away it is kept for the next time."""
        outcomes, self._decided, self._settle_at = self._decided, [], None
        if not outcomes:
            return 0
        try:
            return self._written_down(outcomes, closing=closing)
        except LedgerUnavailable:
            self._decided = outcomes
            raise

    def _written_down(self, outcomes: list[Published], *, closing: bool) -> int:
        crashpoint("relay.after_confirm")
        now = self._tools.clock()
        given_back = [o for o in outcomes if not o.sent or (closing and o.verdict == "unknown")]
        decided = outcomes
        if given_back:
            decided = [o for o in outcomes if o.sent and not (closing and o.verdict == "unknown")]
        settled = [
            Settled(o.delivery_id, o.generation, "published")
            if o.verdict == "confirmed"
            else self._failed(o, now)
            for o in decided
        ]
        self._tools.outbox.settle(settled, now)
        if given_back:
            self._tools.outbox.release([(o.delivery_id, o.generation) for o in given_back], now)
        crashpoint("relay.after_mark")
        if self._attempts:
            for outcome in outcomes:
                self._attempts.pop((outcome.delivery_id, outcome.generation), None)
        self._tell(decided, settled, now)
        return len(outcomes)

    def _tell(self, decided: Sequence[Published], settled: Sequence[Settled], now: datetime) -> None:
        announce = self._tools.announce
        done = [Confirmed(o.destination, o.delivery_id, o.took) for o in decided if o.verdict == "confirmed"]
        if done:
            announce(DeliveriesPublished(now, tuple(done)))
        if len(done) < len(decided):
            for outcome, said in zip(decided, settled, strict=True):
                if outcome.verdict != "confirmed":
                    announce(_event(outcome, said, now))

    def _failed(self, outcome: Published, now: datetime) -> Settled:
        if outcome.verdict == "returned":
            return Settled(
                outcome.delivery_id, outcome.generation, "parked", Reason.NO_BINDING, outcome.detail
            )
        reason = Reason.QUEUE_REFUSED if outcome.verdict == "refused" else Reason.UNCONFIRMED
        tried = self._attempts.get((outcome.delivery_id, outcome.generation), 0)
        again = now + min(LAST_RETRY, FIRST_RETRY * 2 ** min(tried, 16))
        return Settled(outcome.delivery_id, outcome.generation, "retry_wait", reason, outcome.detail, again)


def _event(outcome: Published, said: Settled, now: datetime) -> Event:
    if said.state == "parked":
        return DeliveryParked(now, outcome.destination, outcome.delivery_id)
    reason = said.reason or Reason.UNEXPECTED
    return AttemptFailed(now, outcome.destination, outcome.delivery_id, reason, said.next_attempt_at)
