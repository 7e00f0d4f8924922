"""
What comes back from the broker: dispatches that a unit rejected or killed, and what found no queue.

Each is recorded before it is acknowledged to the broker. A dispatch of ours becomes a dead letter
with its task; anything the hub never sent is kept sealed, for a person to look at.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from router.crashpoints import crashpoint
from router.events import DeadLettered, Observer
from router.ports import Clock, Returned
from router.reasons import Reason, Stage

_REASONS = {
    "rejected": Reason.REJECTED,
    "delivery_limit": Reason.DELIVERY_LIMIT,
    "expired": Reason.EXPIRED,
    "maxlen": Reason.MAXLEN,
}
_SENTENCES = {
    Reason.REJECTED: "the unit's system rejected the message from queue {queue}",
    Reason.DELIVERY_LIMIT: "the unit's consumer failed on it until the delivery limit of queue {queue}",
    Reason.EXPIRED: "nobody took it from queue {queue} in time",
    Reason.MAXLEN: "it was dropped from the overfull queue {queue}",
    Reason.UNKNOWN_MESSAGE: "a message in {queue} that the hub never sent",
}


@dataclass(frozen=True, slots=True)
class Return:
    """One message that came back, read."""

    delivery_id: str | None
    attempt: int
    """Which attempt this copy was; 0 when it does not say."""
    reason: Reason
    sentence: str
    body: bytes


class ReturnsLedger(Protocol):
    def record_returns(self, returns: Collection[Return], now: datetime) -> list[tuple[str | None, Reason]]:
        """One transaction. What is a new dead letter, as (destination, reason); a repeat is none."""


class BrokerReturns:
    """`record` is what the consumer calls; it acknowledges to the broker after it returned."""

    def __init__(self, ledger: ReturnsLedger, *, clock: Clock, announce: Observer) -> None:
        self._ledger = ledger
        self._clock = clock
        self._announce = announce

    def record(self, batch: Sequence[Returned]) -> None:
        """Commit all of them; raises LedgerUnavailable, and the broker hands them over again."""
        now = self._clock()
        new = self._ledger.record_returns([_read(message) for message in batch], now)
        crashpoint("returns.before_ack")
        for destination, reason in new:
            self._announce(DeadLettered(now, Stage.UNIT, reason, None, destination))


def _read(message: Returned) -> Return:
    reason = _REASONS.get(message.reason or "", Reason.UNKNOWN_MESSAGE)
    queue = message.origin_queue or message.queue
    sentence = _SENTENCES[reason].format(queue=queue)
    return Return(message.message_id, message.attempt, reason, sentence, message.body)
