"""
What the flows that deliver ask of the ledger: claim what is due, and write down what came of it.

A claim sets the lease's end and raises the generation. If the claimer dies, the delivery is simply
due again then; if it comes back late, its generation is stale and what it says changes nothing
(fencing).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from router.message import DispatchType, Role
from router.reasons import Reason, Stage

Finish = Literal["published", "accepted"]
"""When a destination's delivery lets the next one of the same appeal go: confirmed, or received."""


class Want(NamedTuple):
    """How much to claim for one destination, and when its deliveries count as finished."""

    destination: str
    limit: int
    finish: Finish = "published"


class KeptAppeal(NamedTuple):
    """The canonical appeal as it lies in the ledger: JSON texts, put together without being parsed."""

    rest: bytes
    """The appeal without its contact, an object that is never empty."""
    contact: bytes


class Claimed(NamedTuple):
    """A delivery in hand, with all that its dispatch is made of."""

    delivery_id: str
    generation: int
    destination: str
    appeal_id: str
    revision: int
    sequence: int
    attempts: int
    """How many went wrong before."""
    type: DispatchType
    created_at: datetime
    config_hash: str
    task_id: str
    unit: str
    role: Role
    returns: int
    due_at: datetime | None
    appeal: KeptAppeal | None
    """None when nothing of it was ever understood (a register task)."""


class Settled(NamedTuple):
    """What came of one attempt."""

    delivery_id: str
    generation: int
    state: Literal["published", "accepted", "retry_wait", "dead", "rejected", "parked"]
    reason: Reason | None = None
    detail: str = ""
    next_attempt_at: datetime | None = None
    stage: Stage = Stage.PUBLISH
    """For a dead letter: where it stopped."""


class Outbox(Protocol):
    def claim(self, wants: Collection[Want], now: datetime, until: datetime) -> list[Claimed]:
        """The oldest due deliveries in order, leased until then; at most one per (destination, appeal).

        A delivery is due when every earlier one of its (destination, appeal) is finished.
        """

    def settle(self, settled: Collection[Settled], now: datetime) -> None:
        """Write down what came of attempts, in one transaction.

        Changes only what is still live under that generation: a receipt that came before its
        confirm stands, and a late claimer changes nothing. `dead` and `rejected` leave a dead letter.
        """

    def release(self, claims: Collection[tuple[str, int]], now: datetime) -> None:
        """Give back (delivery, generation) unattempted: due at once, under a new generation."""
