"""What intake reads and writes: the heads of appeals, and one transaction per batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, text, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from router.crashpoints import crashpoint
from router.flows.intake import Commit, Conflict, DataRefused
from router.flows.outbox import Claimed
from router.flows.records import BatchRecord, Case, Head, OpenTask
from router.ledger import schema as t
from router.ledger.among import among, as_one
from router.ledger.database import Database
from router.ledger.documents import open_envelope
from router.ledger.rows import Rows
from router.ledger.sealing import Sealer
from router.message import Cursor, Envelope, ItemSet

MAX_IN = 500
"""Values in one IN list; keeps statements cacheable and below every driver's limit."""


class IntakeStore:
    """Keeps the port `router.flows.intake.IntakeLedger`."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._db = database
        self._sealer = sealer

    def raw_hash(self, envelope: Envelope) -> str:
        return self._sealer.keyed_hash("raw", envelope.body)

    def heads(self, source: str, source_ids: Collection[str]) -> dict[str, Head]:
        found: dict[str, Head] = {}
        with self._db.read() as connection:
            for some in chunks(source_ids):
                asked = {"source": source, "ids": as_one(connection, some)}
                rows = connection.execute(HEADS[connection.dialect.name], asked)
                found.update((row.source_id, head_of(row)) for row in rows)
        return found

    def cases(self, appeal_ids: Collection[str]) -> dict[str, Case]:
        tasks: dict[str, list[OpenTask]] = {}
        lines: dict[str, dict[str, int]] = {}
        with self._db.read() as connection:
            for some in chunks(appeal_ids):
                for row in connection.execute(_OPEN_TASKS, {"ids": some}):
                    tasks.setdefault(row[0], []).append(OpenTask(*row[1:]))
                for appeal_id, destination, last in connection.execute(_LINES, {"ids": some}):
                    lines.setdefault(appeal_id, {})[destination] = last
        known = tasks.keys() | lines.keys()
        return {key: Case(tuple(tasks.get(key, ())), lines.get(key, {})) for key in known}

    def kept_envelope(self, envelope_id: str) -> Envelope | None:
        with self._db.read() as connection:
            chosen = select(t.envelopes).where(t.envelopes.c.envelope_id == envelope_id)
            row = connection.execute(chosen).first()
        return None if row is None else open_envelope(self._sealer, row)

    def cursor(self, source: str) -> Cursor | None:
        """Where this source was read up to; None before its first batch."""
        with self._db.read() as connection:
            position: Cursor | None = connection.execute(
                select(t.cursors.c.position).where(t.cursors.c.source == source)
            ).scalar()
        return position

    def members(self, source: str, item_set: str) -> Collection[str]:
        begins = _a.source_id.startswith(f"{item_set}/", autoescape=True)
        chosen = select(_a.source_id).where(_a.source == source, begins, _a.state != "withdrawn")
        with self._db.read() as connection:
            return frozenset(connection.execute(chosen).scalars())

    def set_sent_at(self, source: str, item_set: str) -> datetime | None:
        s = t.item_sets.c
        chosen = select(s.sent_at).where(s.source == source, s.name == item_set)
        with self._db.read() as connection:
            found: datetime | None = connection.execute(chosen).scalar()
        return found

    def prepared(self, batch: BatchRecord) -> Commit:
        """Sealed and laid out in rows."""
        rows = Rows(self._sealer, batch)
        return lambda: self._commit(batch, rows)

    def _commit(self, batch: BatchRecord, rows: Rows) -> list[Claimed]:
        """One transaction. What the database says of it becomes what the intake can act on."""
        try:
            with self._db.write() as connection:
                rows.write(connection)
                if batch.cursor is not None:
                    _keep_cursor(connection, batch)
                if batch.replaces is not None:
                    _keep_set(connection, batch, batch.replaces)
                crashpoint("intake.before_commit")
        except IntegrityError as error:
            raise Conflict(batch.source) from error
        except DataError as error:
            raise DataRefused(type(error.orig or error).__name__) from error
        except StatementError as error:
            if isinstance(error, DBAPIError):
                raise  # a fault of ours or of the schema's, not of this item's data
            raise DataRefused(type(error.orig or error).__name__) from error
        return rows.claimed


def head_of(row: Any) -> Head:
    """A row of HEAD_COLUMNS as what intake knows of an appeal."""
    _, *known = row
    return Head(*known)


def _keep_cursor(connection: Connection, batch: BatchRecord) -> None:
    position = dict(batch.cursor or {})
    moved = update(t.cursors).where(t.cursors.c.source == batch.source)
    if connection.execute(moved.values(position=position, updated_at=batch.at)).rowcount == 0:
        first = {"source": batch.source, "position": position, "updated_at": batch.at}
        connection.execute(insert(t.cursors), first)


def _keep_set(connection: Connection, batch: BatchRecord, replaces: ItemSet) -> None:
    s = t.item_sets.c
    key = {"source": batch.source, "name": replaces.name}
    told = {"sent_at": replaces.sent_at, "received_at": batch.at, "original": replaces.original}
    again = update(t.item_sets).where(s.source == batch.source, s.name == replaces.name)
    if connection.execute(again.values(**told, times=s.times + 1)).rowcount == 0:
        first = {**key, **told, "unit": replaces.unit, "period": replaces.period, "times": 1}
        first["first_at"] = replaces.sent_at
        connection.execute(insert(t.item_sets), first)


def chunks(values: Collection[str]) -> Iterable[list[str]]:
    """In pieces of MAX_IN, sorted, so that every writer locks in the same order."""
    ordered = sorted(values)
    return (ordered[at : at + MAX_IN] for at in range(0, len(ordered), MAX_IN))


_ids: BindParameter[list[str]] = bindparam("ids", expanding=True)
_a = t.appeals.c
HEAD_COLUMNS = (
    _a.source_id, _a.appeal_id, _a.revision, _a.version, _a.state, _a.digest, _a.raw_hash,
    _a.source_time, _a.config_hash, _a.envelope_id,
)  # fmt: skip
HEADS = {
    dialect: select(*HEAD_COLUMNS).where(_a.source == bindparam("source"), is_one)
    for dialect, is_one in among(_a.source_id, "ids").items()
}
"""Public for the test that reads their query plans."""
_OPEN_TASKS = (
    select(t.tasks.c.appeal_id, t.tasks.c.task_id, t.tasks.c.unit, t.tasks.c.role)
    .where(t.tasks.c.appeal_id.in_(_ids), text("state = 'open'"))
    .order_by(t.tasks.c.task_id)
)
_d = t.deliveries.c
_LINES = (
    select(_d.appeal_id, _d.destination, func.max(_d.sequence))
    .where(_d.appeal_id.in_(_ids))
    .group_by(_d.appeal_id, _d.destination)
)
