"""Open appeals of the same enterprise or caller from other doors: what a closed report may be about."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, select

from router.decisions.sameness import Told, same_matter
from router.ledger import schema as t
from router.ledger.database import Database
from router.ledger.documents import open_document
from router.ledger.rows import look_up_hashes
from router.ledger.sealing import Sealer
from router.message import Appeal

REACH = timedelta(days=180)
"""How long before the report the other one may have come: two quarters."""
MOST = 50
"""Appeals looked at, the newest first."""


class TwinStore:
    """Keeps the port `router.flows.rulebook.Twins`."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._db = database
        self._sealer = sealer

    def open_twin(self, appeal: Appeal) -> str | None:
        a, r = t.appeals.c, t.revisions.c
        known = zip((a.enterprise_hash, a.contact_hash), look_up_hashes(self._sealer, appeal), strict=True)
        same = [column == value for column, value in known if value is not None]
        if not same:
            return None
        chosen = (
            select(a.appeal_id, a.revision, r.key_id, r.document)
            .join(t.revisions, (r.appeal_id == a.appeal_id) & (r.revision == a.revision))
            .where(or_(*same), a.state == "open", a.source != appeal.source)
            .where(a.created_at >= appeal.received_at - REACH)
            .order_by(a.created_at.desc())
            .limit(MOST)
        )
        with self._db.read() as connection:
            rows = connection.execute(chosen).all()
        return same_matter(appeal.content, (self._told(*row) for row in rows))

    def _told(self, appeal_id: str, revision: int, key_id: str, document: bytes) -> Told:
        found = open_document(self._sealer, key_id, appeal_id, revision, document)
        return Told(appeal_id, str(found["appeal"]["content"]))
