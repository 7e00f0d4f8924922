"""
The straight way to the broker for what was just recorded.

A first message about an appeal is due at once and waits for nobody. Where the relay of this process has room
for its destination, the intake has the ledger lease the delivery in the very transaction that records it,
and hands it over: the claim, half of what a delivery cost, falls away. Everything else stands in the
ledger, due, and the relay claims it.

A crash after COMMIT leaves a leased delivery, as a crash after a claim does: it is due again when the
lease ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from router.flows.outbox import Claimed
from router.flows.records import UNLEASED, Lease, Recording


class Express(Protocol):
    """The relay, as the intake sees it. Any thread may call."""

    @property
    def lease(self) -> timedelta:
        """How long what is handed over must be leased."""

    def bears(self, destination: str) -> int:
        """How many fresh deliveries it would take now; 0 where earlier ones are still in the ledger."""

    def hand(self, claimed: Sequence[Claimed], until: datetime) -> None:
        """These are leased for it until then."""

    def wake(self) -> None:
        """Something due was left in the ledger."""


def leased(express: Express, recordings: Sequence[Recording], now: datetime) -> Lease:
    """Which deliveries go straight: first messages, as many as each destination bears."""
    room: dict[str, int] = {}
    chosen: list[str] = []
    for recording in recordings:
        if recording.appeal is None:
            continue
        for delivery in recording.deliveries:
            if delivery.sequence != 1:
                continue
            free = room.get(delivery.destination)
            if free is None:
                free = express.bears(delivery.destination)
            if free > 0:
                chosen.append(delivery.delivery_id)
            room[delivery.destination] = free - 1
    return Lease(frozenset(chosen), now + express.lease) if chosen else UNLEASED
