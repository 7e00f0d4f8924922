"""What people at the desk and at the switchboard write: registering by hand, releasing what was parked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, text, update

from router.flows.records import Actor, BatchRecord, Case
from router.flows.registering import Registrable
from router.ledger import schema as t
from router.ledger.auditing import note
from router.ledger.database import Database
from router.ledger.documents import open_envelope
from router.ledger.intake import HEAD_COLUMNS, IntakeStore, head_of
from router.ledger.rows import Rows
from router.ledger.sealing import Sealer


class DeskStore:
    """Keeps the port `router.flows.registering.RegisterLedger`, and releases parked deliveries."""

    def __init__(self, database: Database, sealer: Sealer, intake: IntakeStore) -> None:
        self._db = database
        self._sealer = sealer
        self._intake = intake

    def registrable(self, appeal_id: str) -> Registrable | None:
        e = t.envelopes.c
        with self._db.read() as connection:
            head = connection.execute(select(*HEAD_COLUMNS).where(t.appeals.c.appeal_id == appeal_id)).first()
            latest = select(t.envelopes).where(e.appeal_id == appeal_id).order_by(e.envelope_id.desc())
            row = connection.execute(latest.limit(1)).first()
        if head is None or row is None:
            return None
        case = self._intake.cases([appeal_id]).get(appeal_id, Case())
        return Registrable(head_of(head), case, open_envelope(self._sealer, row), row.envelope_id)

    def register(self, batch: BatchRecord, actor: Actor) -> None:
        rows = Rows(self._sealer, batch)
        with self._db.write() as connection:
            rows.write(connection)
            for recording in batch.recordings:
                note(connection, batch.at, actor, "appeal.register", recording.after.appeal_id)

    def release_parked(self, destination: str, actor: Actor, now: datetime) -> int:
        """Send again, in order, what waited for this destination's binding; how many."""
        d = t.deliveries.c
        with self._db.write() as connection:
            released = connection.execute(
                update(t.deliveries)
                .where(d.destination == destination, text(f"state IN {t.STUCK}"), d.state == "parked")
                .values(state="pending", next_attempt_at=now, generation=d.generation + 1, reason=None)
            ).rowcount
            if released:
                note(connection, now, actor, "deliveries.release", destination)
        return released
