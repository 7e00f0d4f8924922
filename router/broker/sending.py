"""
The publisher's thread: one loop that takes messages in, sends what may go, and keeps a link open.

Everything here runs on that thread, except what `Sending` marks as for the caller. Work is done
per turn, not per message: the messages of one hand-over go out together, and the verdicts of one
read from the socket wake the caller once.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop

from router.broker.handover import Handover, Seen, Surplus
from router.broker.lanes import Flight, Lanes
from router.broker.link import ACCESS_REFUSED, NOT_FOUND, Link, Listener
from router.broker.outlet import Outlet, Verdicts
from router.broker.settings import LinkSettings, PublisherSettings

LONGEST_TICK = 0.25
NOT_SENT_CLOSING = "not sent: the publisher is closing"
OVERDUE = "no confirm within the deadline"
SILENT = "RabbitMQ confirms nothing any more"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the sending thread is handed from outside."""

    report: Callable[[str], None]
    """One sentence for ops when the connection goes, stays away, or is back."""
    random: Callable[[], float]


class Sending:
    """The loop, its lanes and its present link. The caller talks to `handover`."""

    def __init__(
        self,
        parameters: pika.ConnectionParameters,
        publisher: PublisherSettings,
        link: LinkSettings,
        around: Surroundings,
    ) -> None:
        self._parameters = parameters
        self._settings = link
        self._window = publisher.window
        self._deadline = publisher.confirm_deadline.total_seconds()
        self._connect_timeout = link.connect_timeout.total_seconds()
        self._around = around
        self.handover = Handover(lambda: self._loop.add_callback_threadsafe(self._take))
        self.lanes = Lanes(publisher, self.handover.decided, around.random)
        self._loop: Any = IOLoop()
        self._link: Link | None = None
        self._reconnects = 0
        self._reported = ""
        self._heard_at = 0.0
        self._turn_is_due = False
        self._closing = False
        self._farewell: float | None = None
        self._end_at = 0.0
        self._thread = threading.Thread(target=self._run, name="suqiu-publisher", daemon=True)

    # For the caller's thread: up to `_run`, which is the loop's own.

    def start(self) -> None:
        self._thread.start()

    def is_connected(self) -> bool:
        link = self._link
        return link is not None and link.is_open

    def finish(self, wait: timedelta) -> None:
        """Send nothing more; wait for the answers owed, then end the thread."""
        self._farewell = wait.total_seconds()
        if self._thread.ident is not None:
            self._loop.add_callback_threadsafe(self._begin_closing)
            self._thread.join(self._farewell + 10)
            return
        self._closing = True  # it never started
        self._take()
        self._loop.close()

    def _run(self) -> None:
        self._loop.call_later(0, self._connect)
        self._loop.call_later(0, self._tick)
        while True:
            try:
                self._loop.start()
                break
            except Exception as error:
                log.exception("the publisher's loop met an error it does not know")
                self._start_over(f"unexpected {type(error).__name__} in the publisher")
        self._loop.close()

    def _start_over(self, reason: str) -> None:
        """After a defect: a fresh loop, since the old one may have dropped callbacks that were due."""
        old = self._loop
        self._drop(reason)
        with contextlib.suppress(Exception):
            old.process_timeouts()  # closes the socket; whatever else it schedules dies with the old loop
        self._loop = IOLoop()
        old.close()
        self._turn_is_due = False
        self._forget_link(reason)
        self._loop.call_later(self._pause(), self._connect)
        self._loop.call_later(0, self._tick)
        self._loop.call_later(0, self._take)
        if self._farewell is not None:
            self._loop.call_later(0, self._begin_closing)

    def _connect(self) -> None:
        if self._closing or self._link is not None:
            return
        listener = Listener(self._opened, self._turn, self._blocked, self._lost)
        verdicts = Verdicts(
            lambda _destination: self._schedule_turn(), self._acked, self._nacked, self._closed
        )
        self._link = Link(self._loop, self._parameters, listener, verdicts)

    def _opened(self) -> None:
        self._heard_at = time.monotonic()
        self._say("" if not self._reported else "connected to RabbitMQ again")
        self._schedule_turn()

    def _blocked(self, reason: str) -> None:
        self._say(f"RabbitMQ takes no messages for now: {reason}")

    def _lost(self, reason: str) -> None:
        self._forget_link(reason)
        self._schedule_turn()
        if self._closing:
            self._loop.stop()
            return
        self._loop.call_later(self._pause(), self._connect)
        self._say(f"no connection to RabbitMQ: {reason}")

    def _forget_link(self, reason: str) -> None:
        link, self._link = self._link, None
        if link is None:
            return
        now = time.monotonic()
        for outlet in link.owing():
            for flight in outlet.flights.values():
                self.lanes.lose(flight, f"the connection was lost before the confirm: {reason}", now)

    def _closed(self, destination: str, code: int, words: str) -> None:
        """The broker closed one destination's channel; the exchange or the right to it concerns them all."""
        reason = f"RabbitMQ closed the channel for {destination}: {code} {words}"
        if code in (NOT_FOUND, ACCESS_REFUSED):
            self._drop(reason)
        else:
            self._say(reason)
            self._give_up(destination, reason, time.monotonic())

    def _pause(self) -> float:
        first = self._settings.first_reconnect.total_seconds()
        longest = self._settings.longest_reconnect.total_seconds()
        pause: float = min(longest, first * 2 ** min(self._reconnects, 16))
        self._reconnects += 1
        return pause * (0.5 + self._around.random() / 2)

    def _say(self, sentence: str) -> None:
        """Each new state once, however often it is met."""
        if sentence and sentence != self._reported:
            self._around.report(sentence)
        self._reported = "" if sentence.startswith("connected") else sentence

    def _take(self) -> None:
        now, lanes = time.monotonic(), self.lanes
        for item in self.handover.take():
            if isinstance(item, Seen):
                lanes.seen(item.destination, item.appeal_id)
            elif isinstance(item, Surplus):
                lanes.turn_away(item.message, now)
            else:
                lanes.take(item, now)
        if self._closing:
            lanes.empty(NOT_SENT_CLOSING, now)
        self._turn()

    def _schedule_turn(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_later(0, self._turn)

    def _turn(self) -> None:
        self._turn_is_due = False
        self._send()
        self.handover.announce()

    def _send(self) -> None:
        link = self._link
        if link is None or not link.is_open or self._closing:
            return
        now = time.monotonic()
        if not self.lanes.unconfirmed:
            self._heard_at = now
        if not self.lanes.has_ready:
            return
        try:
            with link.gathering():
                self._depart(link, now)
        except Exception as error:  # what was sent is owed by its outlet
            self._drop(f"sending broke off: {error}")

    def _depart(self, link: Link, now: float) -> None:
        for flight in self.lanes.departures(now, self._bears):
            try:
                link.outlet(flight.message.destination).send(flight)
            except ValueError as error:
                self.lanes.unfit(flight, f"not sent: {error}", now)
            except Exception as error:
                self.lanes.lose(flight, f"sending broke off: {error}", now)
                raise

    def _bears(self, destination: str) -> int:
        """A channel's first message goes alone, so that a broker that does not answer holds few of them."""
        outlet = self._link.outlet(destination) if self._link is not None else None
        if outlet is None or not outlet.is_ready:
            return 0
        return self._window if outlet.is_trusted else 1

    def _acked(self, flights: Sequence[Flight]) -> None:
        self.lanes.acked(flights, self._heard())

    def _nacked(self, flights: Sequence[Flight]) -> None:
        now = self._heard()
        for flight in flights:
            self.lanes.refuse(flight, "nacked: the queue is full, or could not store it", now)

    def _heard(self) -> float:
        """An answer came: the link is good. A turn follows when all of the read was heard."""
        self._reconnects = 0
        self._heard_at = time.monotonic()
        return self._heard_at

    def _tick(self) -> None:
        self._loop.call_later(min(LONGEST_TICK, self._deadline / 4), self._tick)
        now = time.monotonic()
        self.lanes.tick(now)
        if self._link is not None:
            for outlet in self._link.owing():
                self._doubt(outlet, now)
            since = self._link.opening_since()
            if since is not None and now - since >= self._deadline + self._connect_timeout:
                self._drop("RabbitMQ does not open a channel")
        self._schedule_turn()

    def _doubt(self, outlet: Outlet, now: float) -> None:
        """An overdue answer ends its channel; if nothing else was answered either, the connection."""
        oldest = outlet.oldest()
        if oldest is None or now - oldest.sent_at < self._deadline:
            return
        self._give_up(oldest.message.destination, OVERDUE, now)
        if now - self._heard_at >= self._deadline:
            self._drop(SILENT)

    def _give_up(self, destination: str, reason: str, now: float) -> None:
        """Nothing on this channel will be believed any more; the destination rests."""
        if self._link is None:
            return
        self.lanes.rest(destination, now)
        for flight in self._link.discard(destination):
            self.lanes.lose(flight, reason, now)

    def _drop(self, reason: str) -> None:
        if self._link is not None:
            self._link.abort(reason)

    def _begin_closing(self) -> None:
        if not self._closing:
            self._closing = True
            self._end_at = time.monotonic() + (self._farewell or 0.0)
        self.lanes.empty(NOT_SENT_CLOSING, time.monotonic())
        self._close_when_answered()

    def _close_when_answered(self) -> None:
        link = self._link
        if link is None:
            self._loop.stop()
        elif not self.lanes.unconfirmed:
            link.close()
        elif time.monotonic() >= self._end_at:
            link.abort("closed while confirms were still owed")
        else:
            self._loop.call_later(0.02, self._close_when_answered)
