"""
What the intake asks the ledger to write: plain records, one transaction's worth at a time.

Nothing here is encrypted yet; the ledger seals what is personal on its way to the disk. Named
tuples, since a frozen dataclass costs ten times as much to make, and several are made per appeal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

from router.message import Appeal, Cursor, Decision, DispatchType, Envelope, ItemSet, Outcome, Role
from router.reasons import Reason, Stage

UNREGISTERED = "unregistered"
"""The state of an appeal that exists but could not be understood yet; `unapproved` when it may not be
taken yet; otherwise its standing."""


class Head(NamedTuple):
    """An appeal as the ledger knows it before a batch is recorded."""

    appeal_id: str
    revision: int
    """0 while nothing of it could be translated."""
    version: int
    """Counts every write; a writer that saw an older one must look again."""
    state: str
    digest: str | None
    raw_hash: str
    source_time: datetime | None
    config_hash: str
    envelope_id: str | None
    """The envelope that the latest revision was made from."""


class OpenTask(NamedTuple):
    """A task not yet closed."""

    task_id: str
    unit: str
    role: Role


class Case(NamedTuple):
    """What is under way for one appeal."""

    tasks: tuple[OpenTask, ...] = ()
    last_sequence: Mapping[str, int] = MappingProxyType({})
    """Destination → how many messages about this appeal were ever lined up for it."""

    def next_sequence(self, destination: str) -> int:
        return self.last_sequence.get(destination, 0) + 1


class NewTask(NamedTuple):
    task_id: str
    unit: str
    role: Role


class ClosedTask(NamedTuple):
    """A task that ends: `cancelled` at the source, or `done` (registered after all)."""

    task_id: str
    state: Literal["cancelled", "done"]


class NewDelivery(NamedTuple):
    delivery_id: str
    task_id: str
    destination: str
    sequence: int
    revision: int
    type: DispatchType


class NewDead(NamedTuple):
    """A dead letter about an envelope that could not be used."""

    dead_id: str
    stage: Stage
    reason: Reason
    sentence: str


class Recording(NamedTuple):
    """One envelope and everything that follows from it."""

    envelope: Envelope
    envelope_id: str
    outcome: Outcome
    before: Head | None
    after: Head
    rule: str | None = None
    appeal: Appeal | None = None
    decision: Decision | None = None
    tasks: tuple[NewTask, ...] = ()
    deliveries: tuple[NewDelivery, ...] = ()
    closed_tasks: tuple[ClosedTask, ...] = ()
    resolves_dead: bool = False
    """Open dead letters of this appeal's envelopes are settled by this."""
    dead: NewDead | None = None
    twin: str | None = None
    """An open appeal from another door that is about the same matter."""
    is_kept: bool = False
    """The envelope is in the ledger already: it is read again, not received again."""


class Lease(NamedTuple):
    """New deliveries that are leased as they are recorded, under their first generation."""

    deliveries: frozenset[str]
    until: datetime | None


UNLEASED = Lease(frozenset(), None)


class BatchRecord(NamedTuple):
    """What is committed at once."""

    source: str
    at: datetime
    config_hash: str
    recordings: tuple[Recording, ...]
    cursor: Cursor | None = None
    replaces: ItemSet | None = None
    """The set that is complete with this."""
    lease: Lease = UNLEASED


class Actor(NamedTuple):
    """Who decided it and why; goes into the audit."""

    name: str
    reason: str
