"""Named leases: one poller per source, however many intake processes run."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert, or_, update
from sqlalchemy.exc import IntegrityError

from router.ledger import schema as t
from router.ledger.database import Database


class LeaseStore:
    """A lease is held by renewing it before it ends; who dies loses it by doing nothing."""

    def __init__(self, database: Database, owner: str) -> None:
        self._db = database
        self._owner = owner

    def take(self, name: str, now: datetime, hold: timedelta) -> bool:
        """Take or renew; False while another owner holds it."""
        c = t.leases.c
        mine = or_(c.owner == self._owner, c.until < now)
        with self._db.write() as connection:
            taken = connection.execute(
                update(t.leases)
                .where(c.name == name, mine)
                .values(owner=self._owner, until=now + hold, generation=c.generation + 1)
            )
            if taken.rowcount == 1:
                return True
        row = {"name": name, "owner": self._owner, "until": now + hold, "generation": 1}
        try:
            with self._db.write() as connection:
                connection.execute(insert(t.leases), row)
        except IntegrityError:
            return False
        return True

    def give_back(self, name: str, now: datetime) -> None:
        """Let the next one have it at once."""
        c = t.leases.c
        with self._db.write() as connection:
            connection.execute(
                update(t.leases).where(c.name == name, c.owner == self._owner).values(until=now)
            )

    def forget(self, now: datetime) -> None:
        """End every lease. Only for a ledger with one process: whoever held them is dead."""
        with self._db.write() as connection:
            connection.execute(update(t.leases).values(until=now))
