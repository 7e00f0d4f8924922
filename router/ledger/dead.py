"""Dead letters: how they come in from the broker, and how a person mends or ends them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, text, update

from router.crashpoints import crashpoint
from router.flows.broker_returns import Return
from router.flows.records import NewDead
from router.ledger import schema as t
from router.ledger.database import Database
from router.ledger.rows import dead_delivery_row, dead_row
from router.ledger.sealing import Sealer
from router.ports import NewId
from router.reasons import Reason, Stage


class ReturnsStore:
    """Keeps the port `router.flows.broker_returns.ReturnsLedger`."""

    def __init__(self, database: Database, sealer: Sealer, new_id: NewId, config_hash: str) -> None:
        self._db = database
        self._sealer = sealer
        self._new_id = new_id
        self._config_hash = config_hash

    def record_returns(self, returns: Collection[Return], now: datetime) -> list[tuple[str | None, Reason]]:
        new: list[tuple[str | None, Reason]] = []
        with self._db.write() as connection:
            for returned in returns:
                row = self._ours(connection, returned)
                if row is None:
                    self._keep_stranger(connection, returned, now)
                    new.append((None, returned.reason))
                elif self._die(connection, row, returned, now):
                    new.append((row.destination, returned.reason))
            crashpoint("returns.before_commit")
        return new

    def _ours(self, connection: Connection, returned: Return) -> Any:
        if returned.delivery_id is None or len(returned.delivery_id) != 36:
            return None
        return connection.execute(_OURS, {"delivery": returned.delivery_id}).first()

    def _die(self, connection: Connection, row: Any, returned: Return, now: datetime) -> bool:
        """A dispatch of ours is dead, unless it is already, or is under way again."""
        why = returned.reason.value
        change = {"delivery": row.delivery_id, "attempt": returned.attempt, "why": why, "at": now}
        if connection.execute(_KILL, change).rowcount != 1:
            return False
        letter = NewDead(self._new_id(), Stage.UNIT, returned.reason, returned.sentence)
        dead = dead_delivery_row(letter, row, row.attempts + 1, now)
        connection.execute(insert(t.dead_letters), dead)
        attempt = {
            "delivery_id": row.delivery_id,
            "number": row.attempts + 1,
            "at": now,
            "reason": returned.reason.value,
            "detail": returned.sentence,
        }
        connection.execute(insert(t.attempts), attempt)
        return True

    def _keep_stranger(self, connection: Connection, returned: Return, now: datetime) -> None:
        """Nothing of ours; sealed and kept, since someone put it there for a reason."""
        letter = NewDead(self._new_id(), Stage.UNIT, Reason.UNKNOWN_MESSAGE, returned.sentence)
        sealed = self._sealer.seal(letter.dead_id, returned.body)
        stranger = dead_row(letter, self._config_hash, now, key_id=self._sealer.current, body=sealed)
        connection.execute(insert(t.dead_letters), stranger)


_d = t.deliveries.c
_OURS = (
    select(
        _d.delivery_id, _d.destination, _d.appeal_id, _d.attempts, _d.config_hash,
        t.appeals.c.source, t.appeals.c.source_id,
    )
    .join(t.appeals, t.appeals.c.appeal_id == _d.appeal_id)
    .where(_d.delivery_id == bindparam("delivery"))
)  # fmt: skip
# Only the present copy can kill: a unit may reject before we have written down the confirm (then
# the delivery is still live), and a copy from before a replay may come back late (then it is not
# the present one, and its successor decides).
_KILL = (
    update(t.deliveries)
    .where(
        _d.delivery_id == bindparam("delivery"),
        or_(
            and_(text(f"state IN {t.LIVE}"), _d.attempts + 1 == bindparam("attempt")),
            and_(text("state = 'published'"), bindparam("attempt").in_([0, _d.attempts + 1])),
        ),
    )
    .values(
        state="dead",
        attempts=_d.attempts + 1,
        generation=_d.generation + 1,
        next_attempt_at=None,
        lease_until=None,
        finished_at=bindparam("at"),
        reason=bindparam("why"),
    )
)
