"""Claims and settlements: the one place where a delivery changes its state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.sql.dml import UpdateBase

from router.crashpoints import crashpoint
from router.flows.outbox import Claimed, Settled, Want
from router.flows.records import NewDead
from router.ledger import schema as t
from router.ledger.among import among, as_one
from router.ledger.bulk import fetch, fetch_all, run_many
from router.ledger.columns import moment
from router.ledger.database import Database
from router.ledger.documents import open_kept
from router.ledger.due import DUE, DUE_OF_MANY
from router.ledger.intake import chunks
from router.ledger.rows import dead_delivery_row
from router.ledger.sealing import Sealer
from router.ports import NewId
from router.reasons import Reason

_DEADLY = ("dead", "rejected")


class OutboxStore:
    """Keeps the port `router.flows.outbox.Outbox`."""

    def __init__(self, database: Database, sealer: Sealer, new_id: NewId) -> None:
        self._db = database
        self._sealer = sealer
        self._new_id = new_id

    def claim(self, wants: Collection[Want], now: datetime, until: datetime) -> list[Claimed]:
        """PostgreSQL locks what it reads and skips what others hold. SQLite, with its one writer, reads
        without the writer's lock and then leases what is still free: nobody waits for the reading."""
        if not self._db.is_sqlite:
            with self._db.write() as connection:
                rows = _read_due(connection, wants, now)
                leased = _lease(connection, rows, now, until)
        else:
            with self._db.read() as connection:
                rows = _read_due(connection, wants, now)
            if not rows:
                return []
            with self._db.write() as connection:
                leased = _lease(connection, rows, now, until)
        return [self._claimed(row, leased[row[0]]) for row in rows if row[0] in leased]

    def _claimed(self, row: Any, generation: int) -> Claimed:
        # Unpacked in the order of _due's columns: by name, each would be looked up in SQLAlchemy's row.
        (
            delivery_id, _, destination, appeal_id, revision, sequence, attempts, type_, created_at,
            config_hash, task_id, unit, role, returns, due_at, key_id, document,
        ) = row  # fmt: skip
        return Claimed(
            delivery_id,
            generation,
            destination,
            appeal_id,
            revision,
            sequence,
            attempts,
            type_,
            moment(created_at),
            config_hash,
            task_id,
            unit,
            role,
            returns,
            moment(due_at) if due_at is not None else None,
            None if document is None else open_kept(self._sealer, key_id, appeal_id, revision, document),
        )

    def settle(self, settled: Collection[Settled], now: datetime) -> None:
        if not settled:
            return
        with self._db.write() as connection:
            self.settle_in(connection, settled, now)
            crashpoint("relay.before_mark_commit")

    def settle_in(self, connection: Connection, settled: Collection[Settled], now: datetime) -> None:
        """The same inside a transaction of the caller's."""
        done: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
        for said in settled:
            if said.state in ("published", "accepted"):
                done[said.state, said.generation].append(said.delivery_id)
            else:
                self._went_wrong(connection, said, now)
        for (state, generation), ids in done.items():
            for some in chunks(ids):
                change = {"gen": generation, "to": state, "at": now}
                _for_these(connection, FINISH, some, change)

    def _went_wrong(self, connection: Connection, s: Settled, now: datetime) -> None:
        reason = (s.reason or Reason.UNEXPECTED).value
        change = {
            "delivery": s.delivery_id,
            "gen": s.generation,
            "to": s.state,
            "due": s.next_attempt_at,
            "why": reason,
        }
        if connection.execute(_FAIL, change).rowcount != 1:
            return  # a receipt or a newer claim was faster
        row = connection.execute(_DELIVERY, {"delivery": s.delivery_id}).one()
        attempt = {
            "delivery_id": s.delivery_id,
            "number": row.attempts,
            "at": now,
            "reason": reason,
            "detail": s.detail[:2000],
        }
        connection.execute(insert(t.attempts), attempt)
        if s.state in _DEADLY:
            dead = NewDead(self._new_id(), s.stage, Reason(reason), s.detail)
            connection.execute(insert(t.dead_letters), dead_delivery_row(dead, row, row.attempts, now))

    def release(self, claims: Collection[tuple[str, int]], now: datetime) -> None:
        if not claims:
            return
        with self._db.write() as connection:
            rows = [{"delivery": delivery, "gen": generation, "at": now} for delivery, generation in claims]
            run_many(connection, _RELEASE, rows)

    def forget_leases(self, destinations: Collection[str]) -> None:
        """Make everything leased for these due at once; only when no other process can hold a lease."""
        leased = _d.c.lease_until.is_not(None) & text(f"state IN {t.LIVE}")
        with self._db.write() as connection:
            connection.execute(
                update(_d)
                .where(_d.c.destination.in_(list(destinations)), leased)
                .values(lease_until=None, generation=_d.c.generation + 1)
            )


def _read_due(connection: Connection, wants: Collection[Want], now: datetime) -> list[Any]:
    """One statement for all destinations: each statement costs more than its rows do."""
    if connection.dialect.name == "sqlite":
        asked = [{"destination": want.destination, "limit": want.limit, "now": now} for want in wants]
        return fetch_all(connection, [(DUE[want.finish], a) for want, a in zip(wants, asked, strict=True)])
    rows: list[Any] = []
    for finish in sorted({want.finish for want in wants}):
        alike = [want for want in wants if want.finish == finish]
        asked_of = [want.destination for want in alike]
        most = [want.limit for want in alike]
        rows += fetch(connection, DUE_OF_MANY[finish], {"destinations": asked_of, "limits": most, "now": now})
    return rows


def _lease(connection: Connection, rows: list[Any], now: datetime, until: datetime) -> dict[str, int]:
    """Delivery → its new generation, for those that nobody else took or settled meanwhile."""
    leased: dict[str, int] = {}
    for some in chunks([row[0] for row in rows]):
        taken = _for_these(connection, LEASE, some, {"at": now, "until": until})
        leased.update((delivery, generation) for delivery, generation in taken)
    return leased


def _for_these(
    connection: Connection, statements: Mapping[str, UpdateBase], ids: list[str], values: Mapping[str, Any]
) -> Any:
    statement = statements[connection.dialect.name]
    return connection.execute(statement, {**values, "deliveries": as_one(connection, ids)})


_d = t.deliveries
_IS_ONE_OF = among(_d.c.delivery_id, "deliveries")
LEASE = {
    dialect: update(_d)
    .where(
        is_one,
        text(f"state IN {t.LIVE}"),
        or_(_d.c.lease_until.is_(None), _d.c.lease_until <= bindparam("at")),
    )
    .values(generation=_d.c.generation + 1, lease_until=bindparam("until"))
    .returning(_d.c.delivery_id, _d.c.generation)
    for dialect, is_one in _IS_ONE_OF.items()
}
FINISH = {
    dialect: update(_d)
    .where(
        is_one,
        _d.c.generation == bindparam("gen"),
        text(f"state IN {t.LIVE}"),
    )
    .values(
        state=bindparam("to"),
        next_attempt_at=None,
        lease_until=None,
        finished_at=bindparam("at"),
        reason=None,
    )
    for dialect, is_one in _IS_ONE_OF.items()
}
"""Both are public for the test that reads their query plans."""
_FAIL = (
    update(_d)
    .where(
        _d.c.delivery_id == bindparam("delivery"),
        _d.c.generation == bindparam("gen"),
        text(f"state IN {t.LIVE}"),
    )
    .values(
        state=bindparam("to"),
        attempts=_d.c.attempts + 1,
        next_attempt_at=bindparam("due"),
        lease_until=None,
        reason=bindparam("why"),
    )
)
_RELEASE = (
    update(_d)
    .where(
        _d.c.delivery_id == bindparam("delivery"),
        _d.c.generation == bindparam("gen"),
        text(f"state IN {t.LIVE}"),
    )
    .values(generation=_d.c.generation + 1, lease_until=None, next_attempt_at=bindparam("at"))
)
_DELIVERY = (
    select(
        _d.c.delivery_id, _d.c.destination, _d.c.appeal_id, _d.c.attempts, _d.c.config_hash,
        t.appeals.c.source, t.appeals.c.source_id,
    )
    .join(t.appeals, t.appeals.c.appeal_id == _d.c.appeal_id)
    .where(_d.c.delivery_id == bindparam("delivery"))
)  # fmt: skip
