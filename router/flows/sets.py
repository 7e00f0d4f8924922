"""
Sets: tables that are sent as a whole and replace what was sent before (R8).

What the new table no longer has is withdrawn, by an envelope of the hub's own: the item's last
original with `"absent": true` beside its fields. So it is translated, explained and replayed like
anything else; the source's mapping says what an absent item's standing is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from router import jsontext
from router.errors import MalformedEnvelope
from router.message import Batch, Envelope, ItemSet

ABSENT = "absent"
"""The field that an item gets which its set no longer has."""


class SetLedger(Protocol):
    """What is known of sets."""

    def members(self, source: str, item_set: str) -> Collection[str]:
        """Source ids of the set's items that are not withdrawn."""

    def set_sent_at(self, source: str, item_set: str) -> datetime | None:
        """When the set was sent that counts now; None before the first."""


class Replacement:
    """One batch beside the set as it stands in the ledger."""

    def __init__(self, ledger: SetLedger, batch: Batch, present: Collection[str]) -> None:
        self._set = batch.replaces
        self._sent_at = ledger.set_sent_at(batch.source, batch.replaces.name) if batch.replaces else None
        self._members = (
            frozenset(ledger.members(batch.source, batch.replaces.name)) if batch.replaces else frozenset()
        )
        self._present = frozenset(present)

    @property
    def counts(self) -> ItemSet | None:
        """The set that holds from now on; None when there is none, or a newer one was here before."""
        return None if self._is_late else self._set

    @property
    def gone(self) -> list[str]:
        """To be struck off: what the new table lacks, or what stands only in one that came too late."""
        if self._set is None:
            return []
        return sorted(self._present - self._members if self._is_late else self._members - self._present)

    @property
    def _is_late(self) -> bool:
        return self._set is not None and self._sent_at is not None and self._set.sent_at < self._sent_at

    def absence(self, source: str, source_id: str, kept: Envelope | None, now: datetime) -> Envelope:
        """What says that this item is no more. `kept`: its last original, where it was ever understood."""
        assert self._set is not None
        try:
            fields = jsontext.loads(kept.body) if kept else {}
        except MalformedEnvelope:  # it was never understood either
            fields = {}
        body = {**fields, ABSENT: True} if isinstance(fields, dict) else {ABSENT: True}
        return Envelope(
            source=source,
            source_id=source_id,
            body=jsontext.dumps(body),
            updated_at=self._sent_at if self._is_late else self._set.sent_at,
            received_at=now,
        )
