"""What came of the units' quarterly tables."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, case, func, select

from router.ledger import schema as t
from router.ledger.database import Database


class Received(NamedTuple):
    """One unit's table for one quarter, as it counts now."""

    unit: str
    source: str
    first_at: datetime
    sent_at: datetime
    times: int
    """How often it was sent, replacing itself."""
    rows: int
    """Taken and not withdrawn since."""
    refused: int
    """Rows that could not be understood, waiting for the desk or a better table."""


class QuarterStore:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def received(self, period: str) -> list[Received]:
        """All tables for this quarter, by unit."""
        s, a = t.item_sets.c, t.appeals.c
        belongs = and_(a.source == s.source, a.source_id.startswith(s.name.concat("/")))
        is_refused = a.state == "unregistered"
        counted = (
            select(
                s.unit, s.source, s.first_at, s.sent_at, s.times,
                func.count(case((and_(~is_refused, a.state != "withdrawn"), 1))),
                func.count(case((is_refused, 1))),
            )
            .outerjoin(t.appeals, belongs)
            .where(s.period == period)
            .group_by(s.unit, s.source, s.first_at, s.sent_at, s.times)
            .order_by(s.unit)
        )  # fmt: skip
        with self._db.read() as connection:
            return [Received(*row) for row in connection.execute(counted)]
