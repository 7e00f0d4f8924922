"""The numbers behind the gauges. Each is read from a small index, whatever the ledger's size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from router.ledger import schema as t
from router.ledger.columns import Micros
from router.ledger.database import Database

LIVE_QUERY = (
    select(
        t.deliveries.c.destination,
        t.deliveries.c.state,
        func.count(),
        func.min(t.deliveries.c.created_at, type_=Micros),
    )
    .where(text(f"state IN {t.LIVE}"))
    .group_by(t.deliveries.c.destination, t.deliveries.c.state)
)
STUCK_QUERY = (
    select(t.deliveries.c.destination, t.deliveries.c.state, func.count())
    .where(text(f"state IN {t.STUCK}"))
    .group_by(t.deliveries.c.destination, t.deliveries.c.state)
)
DEAD_QUERY = (
    select(t.dead_letters.c.stage, t.dead_letters.c.reason, func.count())
    .where(text("state = 'open'"))
    .group_by(t.dead_letters.c.stage, t.dead_letters.c.reason)
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is under way and what waits for a person, at one moment."""

    deliveries: dict[tuple[str, str], int]
    """(destination, state) → how many; finished ones are not counted."""
    oldest: dict[str, datetime]
    """Destination → when its oldest unfinished delivery was created."""
    dead: dict[tuple[str, str], int]
    """(stage, reason) → open dead letters."""
    cursors: dict[str, datetime]

    @property
    def live(self) -> int:
        return sum(n for (_, state), n in self.deliveries.items() if state in ("pending", "retry_wait"))


def numbers(database: Database) -> Numbers:
    """One consistent look."""
    with database.read() as connection:
        live = connection.execute(LIVE_QUERY).all()
        stuck = connection.execute(STUCK_QUERY).all()
        dead = connection.execute(DEAD_QUERY).all()
        cursors = connection.execute(select(t.cursors.c.source, t.cursors.c.updated_at)).all()
    oldest: dict[str, datetime] = {}
    for destination, _, _, since in live:
        oldest[destination] = min(oldest.get(destination, since), since)
    return Numbers(
        {(row[0], row[1]): row[2] for row in (*live, *stuck)},
        oldest,
        {(stage, reason): count for stage, reason, count in dead},
        {row.source: row.updated_at for row in cursors},
    )
