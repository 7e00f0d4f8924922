"""
Relay: what is due in the ledger goes to the broker, and what the broker said is written down.

One thread turns: take the outcomes, settle them in one transaction, claim where the publisher has
room, publish. A kill at any point leaves the deliveries leased; when the lease ends they are
published again under the same message id. The broker being away uses up no attempts: the ledger
keeps, and the relay goes on when the broker is back.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.crashpoints import crashpoint
from router.errors import LedgerUnavailable, PermanentError, told
from router.events import (
    AttemptFailed,
    DeadLettered,
    DeliveryParked,
    DeliveryPublished,
    Event,
    Observer,
    Trouble,
)
from router.flows.dispatching import Dispatching
from router.flows.outbox import Claimed, Finish, Outbox, Settled, Want
from router.ports import Clock, Outgoing, Published, Publisher
from router.reasons import Reason, Stage

IDLE_WAIT = timedelta(milliseconds=5)
"""How long a turn with nothing to do waits for the broker's next word, or to be woken."""
LOOK_AGAIN = timedelta(milliseconds=250)
"""How soon an idle relay looks into the ledger unasked; what another process committed is seen then."""
SMALL_TURN = 500
GATHER = timedelta(milliseconds=25)
"""A turn that moved few messages is followed by this pause, so that the next one moves more: two
transactions for a handful of messages would keep the intake from the ledger's one writer."""
TROUBLE_PAUSE = timedelta(seconds=1)
CLOSING_WAIT = timedelta(seconds=10)
"""How long a graceful stop waits for outstanding confirms."""
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
        self._lease = lease
        self._finish = finish
        self._worth = max(1, room // 2)
        self._attempts: dict[tuple[str, int], int] = {}
        self._look_at: datetime | None = None
        self._gather = threading.Event()
        self._woken = threading.Event()

    def wake(self) -> None:
        """Something was committed; look now. Any thread may call this."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Turn until told to stop, then finish: wait for confirms, settle, give back the rest."""
        self._gather = stop
        while not stop.is_set():
            try:
                self.turn()
            except Exception as error:  # the edge of this flow: leases end, and all is claimed again
                self._trouble(error)
                stop.wait(TROUBLE_PAUSE.total_seconds())
        try:
            self._settle(self._tools.publisher.close(CLOSING_WAIT), closing=True)
        except LedgerUnavailable as error:
            self._trouble(error)

    def _trouble(self, error: Exception) -> None:
        self._tools.announce(Trouble(self._tools.clock(), "relay", told(error)))

    def turn(self) -> bool:
        """One turn; whether anything moved."""
        moved = self._settle(self._tools.publisher.outcomes(timedelta(0))) + self._send()
        if moved == 0:
            return self._settle(self._tools.publisher.outcomes(IDLE_WAIT)) > 0
        if moved < SMALL_TURN:
            self._gather.wait(GATHER.total_seconds())
        return True

    def _send(self) -> int:
        now = self._tools.clock()
        if not self._tools.publisher.is_connected or not self._is_time(now):
            return 0
        wants = self._wants()
        claims = self._tools.outbox.claim(wants, now, now + self._lease) if wants else []
        crashpoint("relay.after_claim")
        for place, claimed in enumerate(claims):
            self._publish(claimed)
            if place == len(claims) // 2:
                crashpoint("relay.mid_publish")
        if not claims:
            self._look_at = now + LOOK_AGAIN
        return len(claims)

    def _is_time(self, now: datetime) -> bool:
        if self._woken.is_set() or self._look_at is None or now >= self._look_at:
            self._woken.clear()
            self._look_at = None
            return True
        return False

    def _wants(self) -> list[Want]:
        """Few, large claims: a destination is asked for again when half its room is free."""
        room = self._tools.publisher.room
        return [
            Want(destination, free, finish)
            for destination, finish in self._finish.items()
            if (free := room(destination)) >= self._worth
        ]

    def _publish(self, claimed: Claimed) -> None:
        tools = self._tools
        try:
            body = tools.dispatching.body(claimed)
        except PermanentError as error:
            verdict = Settled(
                claimed.delivery_id, claimed.generation, "dead", Reason.MAPPING_FAILED, str(error)
            )
            tools.outbox.settle([verdict], tools.clock())
            dead = DeadLettered(
                tools.clock(), Stage.PUBLISH, Reason.MAPPING_FAILED, None, claimed.destination
            )
            tools.announce(dead)
            return
        self._attempts[claimed.delivery_id, claimed.generation] = claimed.attempts
        tools.publisher.publish(
            Outgoing(
                claimed.delivery_id,
                claimed.generation,
                claimed.destination,
                claimed.appeal_id,
                claimed.sequence,
                claimed.attempts + 1,
                claimed.type,
                body,
                claimed.config_hash,
                claimed.created_at,
            )
        )

    def _settle(self, outcomes: Collection[Published], *, closing: bool = False) -> int:
        """How many were written down."""
        if not outcomes:
            return 0
        crashpoint("relay.after_confirm")
        now = self._tools.clock()
        given_back = [o for o in outcomes if not o.sent or (closing and o.verdict == "unknown")]
        decided = [o for o in outcomes if o.sent and not (closing and o.verdict == "unknown")]
        settled = [self._verdict(outcome, now) for outcome in decided]
        self._tools.outbox.settle(settled, now)
        if given_back:
            self._tools.outbox.release([(o.delivery_id, o.generation) for o in given_back], now)
        crashpoint("relay.after_mark")
        for outcome in outcomes:
            self._attempts.pop((outcome.delivery_id, outcome.generation), None)
        for outcome, said in zip(decided, settled, strict=True):
            self._tools.announce(_event(outcome, said, now))
        return len(outcomes)

    def _verdict(self, outcome: Published, now: datetime) -> Settled:
        if outcome.verdict == "confirmed":
            return Settled(outcome.delivery_id, outcome.generation, "published")
        if outcome.verdict == "returned":
            return Settled(
                outcome.delivery_id, outcome.generation, "parked", Reason.NO_BINDING, outcome.detail
            )
        reason = Reason.QUEUE_REFUSED if outcome.verdict == "refused" else Reason.UNCONFIRMED
        tried = self._attempts.get((outcome.delivery_id, outcome.generation), 0)
        again = now + min(LAST_RETRY, FIRST_RETRY * 2 ** min(tried, 16))
        return Settled(outcome.delivery_id, outcome.generation, "retry_wait", reason, outcome.detail, again)


def _event(outcome: Published, said: Settled, now: datetime) -> Event:
    if said.state == "published":
        return DeliveryPublished(now, outcome.destination, outcome.delivery_id, outcome.took)
    if said.state == "parked":
        return DeliveryParked(now, outcome.destination, outcome.delivery_id)
    reason = said.reason or Reason.UNEXPECTED
    return AttemptFailed(now, outcome.destination, outcome.delivery_id, reason, said.next_attempt_at)
