"""
Worker: hands over what the hub itself must carry to a receiver (kind http, later table and mail).

One destination is called by one thread at a time, in order, from a bounded pool. Each has a breaker:
after failures in a row it is left alone for a while, then probed with a single message. What an
attempt came to is settled before the next one begins; a kill in between leaves the outcome unknown,
and the next attempt carries the same idempotency key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from router.crashpoints import crashpoint
from router.decisions.breaker import Breaker
from router.decisions.recovery import Retry, RetryPolicy, decide
from router.errors import RejectedByReceiver, told
from router.events import AttemptFailed, DeadLettered, DeliveryAccepted, Event, Observer, Trouble
from router.flows.dispatching import Dispatching
from router.flows.outbox import Claimed, Outbox, Settled, Want
from router.ports import Clock, Destination
from router.reasons import Stage

BATCH = 20
"""Deliveries claimed for one destination at once."""
LEASE = timedelta(minutes=10)
"""Longer than BATCH calls that each run into their time limit."""
LOOK_AGAIN = 0.25
TROUBLE_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class WorkerTools:
    outbox: Outbox
    dispatching: Dispatching
    policy: RetryPolicy
    clock: Clock
    announce: Observer
    chance: Callable[[], float]


class Worker:
    """Run by one thread, which lends each destination to the pool while it is worked on."""

    def __init__(self, destinations: Mapping[str, Destination], tools: WorkerTools, *, threads: int) -> None:
        self._destinations = destinations
        self._tools = tools
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="worker")
        self._busy: dict[str, Future[None]] = {}
        self._breakers: dict[str, Breaker] = dict.fromkeys(destinations, Breaker())
        self._stop = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Turn until told to stop; what is under way is finished, the rest given back."""
        self._stop = stop
        while not stop.is_set():
            try:
                worked = self.turn()
            except Exception as error:  # the edge of this flow: leases end, and all is claimed again
                self._tools.announce(Trouble(self._tools.clock(), "worker", told(error)))
                stop.wait(TROUBLE_PAUSE)
                continue
            if not worked:
                stop.wait(LOOK_AGAIN)
        self._pool.shutdown(wait=True)

    def turn(self) -> bool:
        """Start work for every idle destination that has something due; whether any was started."""
        started = False
        for name in self._destinations:
            if name in self._busy and not self._busy[name].done():
                continue
            now = self._tools.clock()
            allowed = self._breakers[name].allows(now)
            limit = BATCH if allowed is None else allowed
            wants = [Want(name, limit, "accepted")]
            claims = self._tools.outbox.claim(wants, now, now + LEASE) if limit else []
            if claims:
                crashpoint("worker.after_claim")
                self._busy[name] = self._pool.submit(self._work, name, claims)
                started = True
        return started

    def _work(self, name: str, claims: list[Claimed]) -> None:
        """One destination's claims in order. After a failure the rest goes back untried."""
        try:
            waiting = list(claims)
            while waiting and not self._stop.is_set():
                if not self._deliver(name, waiting.pop(0)):
                    break
            rest = [(claimed.delivery_id, claimed.generation) for claimed in waiting]
            self._tools.outbox.release(rest, self._tools.clock())
        except Exception as error:  # the edge of the pool's thread: leases end by themselves
            self._tools.announce(Trouble(self._tools.clock(), "worker", told(error)))

    def _deliver(self, name: str, claimed: Claimed) -> bool:
        """One attempt, settled. False when the destination is in trouble."""
        tools = self._tools
        try:
            dispatch = tools.dispatching.dispatch(claimed)
            self._destinations[name].deliver(dispatch, claimed.attempts + 1)
        except Exception as error:  # the edge of this flow: recovery decides about every error
            return self._failed(name, claimed, error)
        crashpoint("worker.after_deliver")
        now = tools.clock()
        tools.outbox.settle([Settled(claimed.delivery_id, claimed.generation, "accepted")], now)
        crashpoint("worker.after_mark")
        self._breakers[name] = self._breakers[name].succeeded()
        tools.announce(DeliveryAccepted(now, name, claimed.delivery_id))
        return True

    def _failed(self, name: str, claimed: Claimed, error: Exception) -> bool:
        tools, now = self._tools, self._tools.clock()
        verdict = decide(error, claimed.attempts + 1, tools.policy, chance=tools.chance())
        if isinstance(verdict, Retry):
            self._breakers[name] = self._breakers[name].failed(now)
            again = now + verdict.after
            detail = type(error).__name__
            said = Settled(
                claimed.delivery_id, claimed.generation, "retry_wait", verdict.reason, detail, again
            )
            event: Event = AttemptFailed(now, name, claimed.delivery_id, verdict.reason, again)
        else:
            said = Settled(
                claimed.delivery_id,
                claimed.generation,
                "rejected" if isinstance(error, RejectedByReceiver) else "dead",
                verdict.reason,
                verdict.sentence,
                stage=Stage.DELIVER,
            )
            event = DeadLettered(now, Stage.DELIVER, verdict.reason, None, name)
        tools.outbox.settle([said], now)
        tools.announce(event)
        return not isinstance(verdict, Retry)
