"""
What happened, announced after COMMIT for whoever watches: metrics, logs, the demo's screen.

The router never counts and never logs; it announces. An observer is any callable taking one
event. It must be quick and must not raise; one that raises is dropped with one log line.
No event carries personal data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from router.message import Outcome
from router.reasons import Reason, Refusal, Stage


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime


class Recorded(NamedTuple):
    """One envelope that is in the ledger (or was there already)."""

    source_id: str
    appeal_id: str
    outcome: Outcome
    rule: str | None = None
    destinations: tuple[str, ...] = ()
    unknown_codes: tuple[tuple[str, str], ...] = ()
    """(field, code table) of codes the tables do not know; the raw value stays in the appeal."""


@dataclass(frozen=True, slots=True)
class BatchRecorded(Event):
    """What one transaction brought of a source. One event for all of it: a page has hundreds."""

    source: str
    items: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class RequestRefused(Event):
    """The front said no, and nothing of the request was kept."""

    source: str
    reason: Refusal


@dataclass(frozen=True, slots=True)
class RoundFinished(Event):
    """A polling round came to its end without an error."""

    source: str
    fetched: int
    took: timedelta
    counts: tuple[tuple[str, int], ...] = ()
    """Outcome and how many."""


@dataclass(frozen=True, slots=True)
class RoundFailed(Event):
    """A polling round broke off. `paused` means the source refuses us and ops must act."""

    source: str
    error: str
    retry_after: timedelta
    paused: bool = False


@dataclass(frozen=True, slots=True)
class FeedSilent(Event):
    """A source that is usually busy handed out nothing for a whole window."""

    source: str
    usual: int


class Confirmed(NamedTuple):
    """The broker confirmed this very message."""

    destination: str
    delivery_id: str
    took: timedelta
    """From handing it to the client library to the confirm."""


@dataclass(frozen=True, slots=True)
class DeliveriesPublished(Event):
    """What one transaction wrote down as published. One event for all of it, as for what comes in."""

    items: tuple[Confirmed, ...]


@dataclass(frozen=True, slots=True)
class DeliveryAccepted(Event):
    """The receiver said that it has it."""

    destination: str
    delivery_id: str


@dataclass(frozen=True, slots=True)
class AttemptFailed(Event):
    """An attempt went wrong; `again_at` says when the next one is due."""

    destination: str
    delivery_id: str
    reason: Reason
    again_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryParked(Event):
    """No queue is bound for it; it waits for the binding and for `suqiu deliveries release`."""

    destination: str
    delivery_id: str


@dataclass(frozen=True, slots=True)
class DeadLettered(Event):
    """Something reached the one pile that people look through."""

    stage: Stage
    reason: Reason
    source: str | None
    destination: str | None


@dataclass(frozen=True, slots=True)
class Trouble(Event):
    """A flow met an error at its edge and goes on after a pause. One line for ops."""

    flow: str
    error: str


Observer = Callable[[Event], None]


def nobody(event: Event) -> None:
    """The observer that looks away; for tests and tools."""


def everyone(*observers: Observer) -> Observer:
    """One observer that tells all of them."""

    def announce(event: Event) -> None:
        for observer in observers:
            observer(event)

    return announce
