"""
Tells events to the log: one line per polling round, nothing per message at info.

What goes wrong per message (attempts, dead letters, refusals) comes in floods, so of each kind one
line a minute is written, with how many there were since the last.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from router.events import (
    AttemptFailed,
    BatchRecorded,
    DeadLettered,
    DeliveriesPublished,
    DeliveryAccepted,
    DeliveryParked,
    Event,
    FeedSilent,
    RequestRefused,
    RoundFailed,
    RoundFinished,
    Trouble,
)

QUIET_FOR = timedelta(minutes=1)
MAX_KINDS = 500
"""Kinds of floods that are told apart; the labels come from outside."""


class Log(Protocol):
    """The part of a structlog logger that is used here."""

    def debug(self, event: str, **kw: Any) -> Any: ...
    def info(self, event: str, **kw: Any) -> Any: ...
    def warning(self, event: str, **kw: Any) -> Any: ...
    def error(self, event: str, **kw: Any) -> Any: ...


class Journal:
    """The observer that writes the log. Thread-safe; never raises."""

    def __init__(self, log: Log | None = None, *, debug: bool | None = None) -> None:
        self._log: Log = log or structlog.get_logger("suqiu")
        self._debug = logging.getLogger().isEnabledFor(logging.DEBUG) if debug is None else debug
        self._floods = _Floods()

    def __call__(self, event: Event) -> None:
        handler = _HANDLERS.get(type(event))
        if handler is not None and (self._debug or type(event) not in _PER_MESSAGE):
            handler(self, event)

    def _batch(self, event: BatchRecorded) -> None:
        for item in event.items:
            self._log.debug(
                "envelope recorded",
                source=event.source,
                appeal_id=item.appeal_id,
                outcome=item.outcome,
                rule=item.rule,
                destinations=item.destinations,
            )

    def _published(self, event: DeliveriesPublished) -> None:
        for destination, delivery_id, took in event.items:
            self._log.debug("delivery published", destination=destination, delivery_id=delivery_id, took=took)

    def _accepted(self, event: DeliveryAccepted) -> None:
        self._log.debug("delivery accepted", destination=event.destination, delivery_id=event.delivery_id)

    def _finished(self, event: RoundFinished) -> None:
        self._log.info(
            "polling round",
            source=event.source,
            fetched=event.fetched,
            took=event.took,
            counts=dict(event.counts),
        )

    def _failed(self, event: RoundFailed) -> None:
        say = self._log.error if event.paused else self._log.warning
        what = "source paused: it refuses us" if event.paused else "polling round broke off"
        say(what, source=event.source, error=event.error, retry_after=event.retry_after)

    def _silent(self, event: FeedSilent) -> None:
        self._log.warning("a busy source has gone silent", source=event.source, usual=event.usual)

    def _refused(self, event: RequestRefused) -> None:
        self._flood(event, "requests refused", source=event.source, reason=event.reason)

    def _attempt(self, event: AttemptFailed) -> None:
        self._flood(event, "attempts failed", destination=event.destination, reason=event.reason)

    def _parked(self, event: DeliveryParked) -> None:
        self._flood(event, "deliveries parked: no queue is bound", destination=event.destination)

    def _dead(self, event: DeadLettered) -> None:
        self._flood(
            event,
            "dead letters",
            stage=event.stage,
            reason=event.reason,
            source=event.source,
            destination=event.destination,
        )

    def _trouble(self, event: Trouble) -> None:
        key = (event.flow, event.error)
        if (times := self._floods.due(key, event.at)) is not None:
            self._log.warning("trouble", flow=event.flow, error=event.error, times=times)

    def _flood(self, event: Event, what: str, **labels: str | None) -> None:
        times = self._floods.due((what, *labels.values()), event.at)
        if times is not None:
            known = {key: value for key, value in labels.items() if value is not None}
            self._log.warning(what, times=times, **known)


_HANDLERS: dict[type[Event], Callable[[Journal, Any], None]] = {
    BatchRecorded: Journal._batch,
    DeliveriesPublished: Journal._published,
    DeliveryAccepted: Journal._accepted,
    RoundFinished: Journal._finished,
    RoundFailed: Journal._failed,
    FeedSilent: Journal._silent,
    RequestRefused: Journal._refused,
    AttemptFailed: Journal._attempt,
    DeliveryParked: Journal._parked,
    DeadLettered: Journal._dead,
    Trouble: Journal._trouble,
}
_PER_MESSAGE = frozenset({BatchRecorded, DeliveriesPublished, DeliveryAccepted})


class _Floods:
    """Lets the first of a kind through at once, then one a minute with the count since."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[Hashable, tuple[datetime, int]] = {}

    def due(self, kind: Hashable, now: datetime) -> int | None:
        """How many there were, this one included, when a line is due; None when it is not."""
        with self._lock:
            if kind not in self._kinds and len(self._kinds) >= MAX_KINDS:
                kind = "more kinds than are told apart"
            last, count = self._kinds.get(kind, (None, 0))
            if last is not None and now - last < QUIET_FOR:
                self._kinds[kind] = (last, count + 1)
                return None
            self._kinds[kind] = (now, 0)
            return count + 1
