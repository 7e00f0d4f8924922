"""
The publisher's thread: one loop that takes messages in, sends what may go, and keeps a link open.

Everything here runs on that thread, except what `Sending` marks as for the caller. Work is done
per turn, not per message: the messages of one hand-over go out together, and the verdicts of one
read from the socket wake the caller once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop

from router.broker.lanes import Decided, Flight, Lanes
from router.broker.link import Link, Listener
from router.broker.settings import LinkSettings, PublisherSettings
from router.ports import Outgoing

LONGEST_TICK = 0.25
MOST_OVERDUE = 2000
"""So many answers still owed by one link, and it is given up: its map must not grow for ever."""

NOT_SENT_CLOSING = "not sent: the publisher is closing"
SILENT = "RabbitMQ confirms nothing any more"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """The caller has learnt of one failure. Goes through the inbox, so that order tells what came after."""

    destination: str
    appeal_id: str


@dataclass(frozen=True, slots=True)
class Surplus:
    """Handed in without there being room; it comes back, through the lane, since order must know of it."""

    message: Outgoing


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the sending thread is handed from outside."""

    report: Callable[[str], None]
    """One sentence for ops when the connection goes, stays away, or is back."""
    random: Callable[[], float]


class Sending:
    """The loop. `inbox` and `decided` are deques because their ends are safe between two threads."""

    def __init__(
        self,
        parameters: pika.connection.Parameters,
        publisher: PublisherSettings,
        link: LinkSettings,
        around: Surroundings,
    ) -> None:
        self._parameters = parameters
        self._settings = link
        self._deadline = publisher.confirm_deadline.total_seconds()
        self._around = around
        self.inbox: deque[Outgoing | Seen | Surplus] = deque()
        self.decided: deque[Decided] = deque()
        self.lanes = Lanes(publisher, self.decided, around.random)
        self._loop: Any = IOLoop()
        self._link: Link | None = None
        self._reconnects = 0
        self._reported = ""
        self._heard_at = 0.0
        self._turn_is_due = False
        self._take_is_due = False
        self._closing = False
        self._waiting = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="suqiu-publisher", daemon=True)

    # For the caller's thread.

    def start(self) -> None:
        self._thread.start()

    def is_connected(self) -> bool:
        link = self._link
        return link is not None and link.is_open

    def hand_in(self, item: Outgoing | Seen | Surplus) -> None:
        self.inbox.append(item)
        # Set before the loop is looked up: see _start_over.
        if not self._take_is_due:
            self._take_is_due = True
            self._loop.add_callback_threadsafe(self._take)

    def wait_for_news(self, wait: float) -> None:
        """Until something is decided."""
        with self._news:
            self._waiting = True
            self._news.wait_for(lambda: self.decided, wait)
            self._waiting = False

    def finish(self, wait: timedelta) -> None:
        """Send nothing more; wait for the answers owed, then end the thread."""
        if self._thread.is_alive():
            self._loop.add_callback_threadsafe(lambda: self._begin_closing(wait.total_seconds()))
            self._thread.join(wait.total_seconds() + 10)
        self._closing = True
        while self.inbox:  # it never started, so nobody took them
            self._take()

    # The loop's own.

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
        self._loop = IOLoop()
        self._turn_is_due = self._take_is_due = False
        self._forget_link(reason)
        self._loop.call_later(self._pause(), self._connect)
        self._loop.call_later(0, self._tick)
        self._loop.call_later(0, self._take)
        if self._closing:
            self._loop.call_later(0, self._close_when_answered)

    def _connect(self) -> None:
        if self._closing or self._link is not None:
            return
        listener = Listener(self._opened, self._acked, self._nacked, self._blocked, self._lost)
        self._link = Link(self._loop, self._parameters, listener)

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
        for flight in link.flights.values():
            if not flight.is_decided:
                self.lanes.lose(flight, f"the connection was lost before the confirm: {reason}", now)
        if link.is_trusted:
            self._reconnects = 0

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
        # The flag falls first: what is appended from here on asks for another call.
        self._take_is_due = False
        now = time.monotonic()
        inbox, lanes = self.inbox, self.lanes
        while inbox:
            item = inbox.popleft()
            if isinstance(item, Outgoing):
                lanes.take(item, now)
            elif isinstance(item, Seen):
                lanes.seen(item.destination, item.appeal_id)
            else:
                lanes.turn_away(item.message, now)
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
        if self.decided and self._waiting:
            with self._news:
                self._news.notify()

    def _send(self) -> None:
        link = self._link
        if link is None or not link.is_open or self._closing:
            return
        now = time.monotonic()
        if not self.lanes.unconfirmed:
            self._heard_at = now
        for flight in self.lanes.departures(now, probing=not link.is_trusted):
            try:
                link.send(flight)
            except ValueError as error:
                self.lanes.unfit(flight, f"not sent: {error}", now)
            except Exception as error:
                self.lanes.lose(flight, f"sending broke off: {error}", now)
                self._drop(f"sending broke off: {error}")
                return

    def _acked(self, flight: Flight) -> None:
        now = self._heard(flight)
        if flight.is_decided:
            self.lanes.heard_late(flight.lane, now)
        elif flight.returned:
            self.lanes.give_back(flight, flight.returned, now)
        else:
            self.lanes.confirm(flight, now)

    def _nacked(self, flight: Flight) -> None:
        now = self._heard(flight)
        if not flight.is_decided:
            self.lanes.refuse(flight, "nacked: the queue is full, or could not store it", now)

    def _heard(self, flight: Flight) -> float:
        self._heard_at = now = time.monotonic()
        if not self._turn_is_due:
            self._schedule_turn()
        return now

    def _tick(self) -> None:
        self._loop.call_later(min(LONGEST_TICK, self._deadline / 4), self._tick)
        now = time.monotonic()
        self.lanes.tick(now)
        if self._link is not None and self._rest_overdue(self._link, now):
            owed = len(self._link.flights) - self.lanes.unconfirmed
            if now - self._heard_at >= self._deadline or owed > MOST_OVERDUE:
                self._drop(SILENT)
        self._schedule_turn()

    def _rest_overdue(self, link: Link, now: float) -> bool:
        """Oldest first, so the first one in time ends the search."""
        found = False
        for flight in link.flights.values():
            if not flight.is_decided:
                if not self.lanes.overdue(flight, now):
                    break
                found = True
        return found

    def _drop(self, reason: str) -> None:
        if self._link is not None:
            self._link.abort(reason)

    def _begin_closing(self, wait: float) -> None:
        self._closing = True
        self.lanes.empty(NOT_SENT_CLOSING, time.monotonic())
        self._end_at = time.monotonic() + wait
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
