"""Deliveries that are leased in the transaction that records them, and handed over as a claim would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from router.flows.outbox import Claimed, KeptAppeal
from router.flows.records import Lease, Recording
from router.ledger.rowtypes import FIRST_GENERATION


def claimed(
    r: Recording, kept: KeptAppeal, lease: Lease, config_hash: str, at: datetime
) -> Iterator[Claimed]:
    """The recording's leased deliveries, as `Outbox.claim` would give them. Their tasks are new, too."""
    for d in r.deliveries:
        if d.delivery_id in lease.deliveries:
            task = next(task for task in r.tasks if task.task_id == d.task_id)
            yield Claimed(
                d.delivery_id,
                FIRST_GENERATION,
                d.destination,
                r.after.appeal_id,
                d.revision,
                d.sequence,
                0,
                d.type,
                at,
                config_hash,
                d.task_id,
                task.unit,
                task.role,
                0,
                None,
                kept,
            )
