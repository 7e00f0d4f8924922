"""The units' work lists: leased and acknowledged over HTTP, straight from the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, select

from router.flows.dispatching import Dispatching
from router.flows.outbox import Claimed, Settled, Want
from router.ledger import schema as t
from router.ledger.database import Database
from router.ledger.outbox import OutboxStore
from router.masking import mask_text
from router.ports import Clock, LeasedTask
from router.reasons import Reason, Stage

MAX_LEASED = 100
"""Tasks handed out in one answer at most."""


class WorkListStore:
    """Keeps the port `router.ports.WorkList`. A lease is the delivery's generation, written out."""

    def __init__(
        self, database: Database, outbox: OutboxStore, dispatching: Dispatching, clock: Clock
    ) -> None:
        self._db = database
        self._outbox = outbox
        self._dispatching = dispatching
        self._clock = clock

    def lease(self, destination: str, limit: int, lease_for: timedelta) -> list[LeasedTask]:
        now = self._clock()
        want = Want(destination, min(limit, MAX_LEASED), "accepted")
        return [
            self._leased(claimed, now + lease_for)
            for claimed in self._outbox.claim([want], now, now + lease_for)
        ]

    def _leased(self, claimed: Claimed, until: datetime) -> LeasedTask:
        dispatch = self._dispatching.dispatch(claimed)
        return LeasedTask(dispatch, str(claimed.generation), until, claimed.attempts + 1)

    def acknowledge(self, destination: str, dispatch_id: str, lease: str) -> bool:
        return self._finish(destination, dispatch_id, lease, None)

    def reject(self, destination: str, dispatch_id: str, lease: str, reason: str) -> bool:
        return self._finish(destination, dispatch_id, lease, reason)

    def _finish(self, destination: str, dispatch_id: str, lease: str, refusal: str | None) -> bool:
        """The unit's word on a task it leased. The same word again under the same lease is a repeat."""
        if not lease.isdecimal() or len(lease) > 9:
            return False
        generation, now = int(lease), self._clock()
        wanted = "accepted" if refusal is None else "rejected"
        with self._db.write() as connection:
            row = connection.execute(_STATE, {"delivery": dispatch_id, "destination": destination}).first()
            if row is None or row.generation != generation:
                return False
            if row.state not in ("pending", "retry_wait"):
                return bool(row.state == wanted)
            if row.lease_until is None or row.lease_until <= now:
                return False  # the lease ran out; someone else may have it by now
            said = _said(dispatch_id, generation, refusal)
            self._outbox.settle_in(connection, [said], now)
        return True

    def may_read(self, destination: str, sha256: str) -> bool:
        with self._db.read() as connection:
            return bool(connection.execute(_MAY_READ, {"destination": destination, "sha": sha256}).scalar())


def _said(dispatch_id: str, generation: int, refusal: str | None) -> Settled:
    if refusal is None:
        return Settled(dispatch_id, generation, "accepted")
    words = mask_text(refusal, 500)
    return Settled(dispatch_id, generation, "rejected", Reason.REJECTED, words, stage=Stage.UNIT)


_STATE = select(t.deliveries.c.state, t.deliveries.c.generation, t.deliveries.c.lease_until).where(
    t.deliveries.c.delivery_id == bindparam("delivery"),
    t.deliveries.c.destination == bindparam("destination"),
)
_MAY_READ = select(
    exists().where(
        t.attachments.c.sha256 == bindparam("sha"),
        t.deliveries.c.appeal_id == t.attachments.c.appeal_id,
        t.deliveries.c.destination == bindparam("destination"),
    )
)
