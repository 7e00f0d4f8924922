"""Sealing anew under the current key, in small transactions, while the hub works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, func, select, update

from router.ledger import schema as t
from router.ledger.database import Database
from router.ledger.documents import revision_id
from router.ledger.sealing import Sealer

BATCH = 200
"""Rows sealed in one transaction: short enough for the hub's own writers beside it."""

_SEALED = (
    (t.envelopes, (t.envelopes.c.envelope_id,), t.envelopes.c.body),
    (t.revisions, (t.revisions.c.appeal_id, t.revisions.c.revision), t.revisions.c.document),
    (t.dead_letters, (t.dead_letters.c.dead_id,), t.dead_letters.c.body),
    (t.letters, (t.letters.c.letter_id,), t.letters.c.body),
    (t.approvals, (t.approvals.c.approval_id,), t.approvals.c.document),
)


def sealed_under(database: Database) -> dict[tuple[str, str], int]:
    """(table, key id) → rows sealed under it."""
    counted: dict[tuple[str, str], int] = {}
    with database.read() as connection:
        for table, _, sealed in _SEALED:
            rows = connection.execute(
                select(table.c.key_id, func.count()).where(sealed.is_not(None)).group_by(table.c.key_id)
            )
            counted.update({(table.name, key): count for key, count in rows})
    return counted


def rotate(database: Database, sealer: Sealer) -> Iterator[int]:
    """Yield how many rows each transaction sealed anew, until nothing is left under an older key."""
    for table, key, sealed in _SEALED:
        while True:
            with database.write() as connection:
                done = _some(connection, sealer, (table, key, sealed))
            if not done:
                break
            yield done


def _some(connection: Connection, sealer: Sealer, part: tuple[Any, tuple[Any, ...], Any]) -> int:
    table, key, sealed = part
    stale = (table.c.key_id != sealer.current) & sealed.is_not(None)
    rows = connection.execute(
        select(*key, table.c.key_id, sealed).where(stale).limit(BATCH).with_for_update(skip_locked=True)
    ).all()
    for *values, key_id, content in rows:
        record = revision_id(*values) if len(values) == 2 else values[0]
        fresh = sealer.seal(record, sealer.open(key_id, record, content))
        where = [column == value for column, value in zip(key, values, strict=True)]
        connection.execute(
            update(table).where(*where).values({table.c.key_id: sealer.current, sealed: fresh})
        )
    return len(rows)
