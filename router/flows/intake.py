"""
Intake: a batch becomes rows, in one transaction, and only then is anyone told yes.

Work that needs no lock is done before BEGIN: look up what is known of each item, translate,
decide. The ledger then writes everything at once, or nothing. When another writer was faster on
one of the appeals (push and pull of one system meet), the look-up is stale: `Conflict`, and the
batch is worked through again. When the database refuses one item's data, the items are committed
one by one, so that it takes no neighbour along.

A crash before COMMIT leaves nothing and the source hands out the batch again; a crash after it
leaves everything, and the ledger recognises the repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from router.crashpoints import crashpoint
from router.errors import LedgerUnavailable
from router.events import BatchRecorded, DeadLettered, Observer, Recorded
from router.flows.express import Express, leased
from router.flows.outbox import Claimed
from router.flows.reading import REFUSED_DATA, Read, Reading
from router.flows.records import UNLEASED, BatchRecord, Case, Head
from router.flows.sets import Replacement, SetLedger
from router.message import Acceptance, Accepted, Batch, Envelope
from router.ports import Clock

MAX_TRIES = 5
"""Lost races against other writers before a batch is tried item by item."""


class Conflict(Exception):
    """Another writer changed one of the batch's appeals meanwhile; nothing was written."""


class DataRefused(Exception):
    """The database refused the data of something in the batch; nothing was written."""


class IntakeLedger(SetLedger, Protocol):
    """What intake asks of the ledger."""

    def heads(self, source: str, source_ids: Collection[str]) -> dict[str, Head]:
        """What is known of these items; unknown ones are absent."""

    def cases(self, appeal_ids: Collection[str]) -> dict[str, Case]:
        """What is under way for these appeals."""

    def kept_envelope(self, envelope_id: str) -> Envelope | None:
        """The untouched original."""

    def raw_hash(self, envelope: Envelope) -> str:
        """A keyed hash that tells whether the very same bytes were received before."""

    def prepared(self, batch: BatchRecord) -> Commit:
        """Everything ready to be written, so that the transaction is short."""


Commit = Callable[[], list[Claimed]]
"""Commits all of it; what was leased comes back as a claim would give it.

Raises Conflict, DataRefused or LedgerUnavailable; then nothing is written.
"""


class Work(NamedTuple):
    """A batch, worked out against a look-up that may be old by the time it is committed."""

    made: BatchRecord
    read: list[Read]
    struck: list[Read]
    commit: Commit


@dataclass(frozen=True, slots=True)
class IntakeTools:
    """What the intake works with."""

    ledger: IntakeLedger
    reading: Callable[[str, Mapping[str, Head], Mapping[str, Case]], Reading]
    """By source: its rules against what is known."""
    clock: Clock
    config_hash: str
    announce: Observer
    express: Express | None = None
    """The relay of this process, where it has one."""


class Intake:
    """The one way into the hub, for polled and pushed batches alike. Thread-safe."""

    def __init__(self, tools: IntakeTools) -> None:
        self._ledger = tools.ledger
        self._reading = tools.reading
        self._clock = tools.clock
        self._config_hash = tools.config_hash
        self._announce = tools.announce
        self._express = tools.express

    def accept(self, batch: Batch) -> Acceptance:
        """Record a batch; returns after COMMIT. LedgerUnavailable means that nothing was promised."""
        return self.begin(batch)()

    def begin(self, batch: Batch) -> Callable[[], Acceptance]:
        """Work a batch out; what comes back records it, from whichever thread calls it."""
        work = self._worked_out(batch)

        def record() -> Acceptance:
            try:
                with suppress(Conflict):
                    return self._record(work)
                return self._persist(batch)
            except (Conflict, DataRefused):
                return self._one_by_one(batch)

        return record

    def _persist(self, batch: Batch, present: Collection[str] = ()) -> Acceptance:
        for _ in range(MAX_TRIES - 1):
            with suppress(Conflict):
                return self._record(self._worked_out(batch, present))
        return self._record(self._worked_out(batch, present))

    def _one_by_one(self, batch: Batch) -> Acceptance:
        """Every item in a transaction of its own; the cursor and the set follow once all are in."""
        accepted: list[Accepted] = []
        for envelope in batch.envelopes:
            try:
                accepted += self._persist(Batch(source=batch.source, envelopes=(envelope,))).items
            except DataRefused as refused:
                alone = Batch(source=batch.source, envelopes=(_unusable(envelope, refused),))
                accepted += self._persist(alone).items
            except Conflict as error:
                raise LedgerUnavailable(f"{batch.source}: other writers were always faster") from error
        if batch.cursor is not None or batch.replaces is not None:
            rest = batch.model_copy(update={"envelopes": ()})
            self._persist(rest, {envelope.source_id for envelope in batch.envelopes})
        return Acceptance(items=tuple(accepted))

    def _worked_out(self, batch: Batch, present: Collection[str] = ()) -> Work:
        """Against what the ledger knows now. `present`: items of the set that were committed before."""
        crashpoint("intake.before_begin")
        ids = {envelope.source_id for envelope in batch.envelopes}
        replacement = Replacement(self._ledger, batch, ids | set(present))
        asked = ids | set(replacement.gone)
        heads = self._ledger.heads(batch.source, asked) if asked else {}
        cases = self._ledger.cases([head.appeal_id for head in heads.values()]) if heads else {}
        reading = self._reading(batch.source, heads, cases)
        read = reading.page([(envelope, self._ledger.raw_hash(envelope)) for envelope in batch.envelopes])
        struck = self._strike(reading, batch, replacement, heads)
        recordings = tuple([item.recording for item in (*read, *struck) if item.recording])
        now = self._clock()
        lease = leased(self._express, recordings, now) if self._express else UNLEASED
        made = BatchRecord(
            batch.source, now, self._config_hash, recordings, batch.cursor, replacement.counts, lease
        )
        return Work(made, read, struck, self._ledger.prepared(made))

    def _record(self, work: Work) -> Acceptance:
        """One transaction; then everybody is told."""
        claimed = work.commit()
        crashpoint("intake.after_commit")
        self._dispatch(work.made, claimed)
        self._tell(work.made.source, (*work.read, *work.struck))
        return Acceptance(items=tuple([item.accepted for item in work.read]))

    def _strike(
        self, reading: Reading, batch: Batch, replacement: Replacement, heads: Mapping[str, Head]
    ) -> list[Read]:
        """Withdraw what the set no longer has."""
        struck = []
        fresh = {envelope.source_id: envelope for envelope in batch.envelopes}
        for source_id in replacement.gone:
            head = heads.get(source_id)
            kept = self._ledger.kept_envelope(head.envelope_id) if head and head.envelope_id else None
            known = kept or fresh.get(source_id)
            envelope = replacement.absence(batch.source, source_id, known, self._clock())
            struck.append(reading.strike(envelope, self._ledger.raw_hash(envelope)))
        return struck

    def _dispatch(self, made: BatchRecord, claimed: list[Claimed]) -> None:
        """Hand over what was leased for it; what was not, the relay finds in the ledger."""
        if self._express is None:
            return
        if claimed and made.lease.until is not None:
            self._express.hand(claimed, made.lease.until)
        if len(claimed) < sum(len(recording.deliveries) for recording in made.recordings):
            self._express.wake()

    def _tell(self, source: str, read: Collection[Read]) -> None:
        now = self._clock()
        if read:
            self._announce(BatchRecorded(now, source, tuple(map(_recorded, read))))
        for _, made, _ in read:
            if made and made.dead:
                self._announce(DeadLettered(now, made.dead.stage, made.dead.reason, source, None))


def _recorded(read: Read) -> Recorded:
    accepted, made, unknown_codes = read
    known = (accepted.source_id, accepted.appeal_id, accepted.outcome)
    if made is None:
        return Recorded(*known, unknown_codes=unknown_codes)
    destinations = tuple([delivery.destination for delivery in made.deliveries])
    return Recorded(*known, made.rule, destinations, unknown_codes)


def _unusable(envelope: Envelope, refused: DataRefused) -> Envelope:
    """The same item as something to be looked at by a person: kept byte for byte, not interpreted."""
    return envelope.model_copy(update={"problem": f"{REFUSED_DATA}: {refused}"[:500]})
