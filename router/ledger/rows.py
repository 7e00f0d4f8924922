"""A batch as rows: sealed before the transaction begins, written table by table inside it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from pydantic_core import to_json
from sqlalchemy import Connection, String, Table, bindparam, exists, func, insert, select, text, update

from router.directory import fold
from router.flows.intake import Conflict
from router.flows.outbox import Claimed
from router.flows.records import BatchRecord, Head, NewDead, Recording
from router.ledger import schema as t
from router.ledger.bulk import insert_rows, run_many
from router.ledger.columns import micros
from router.ledger.documents import envelope_row, kept_appeal, revision_row
from router.ledger.leasing import claimed
from router.ledger.rowtypes import AppealRow, Described, HistoryRow, delivery_row, task_row
from router.ledger.sealing import Sealer
from router.message import Appeal

_QUIET = ("echo", "unchanged", "stale")
"""Outcomes that change nothing downstream: the original is kept, history says nothing."""


class Rows:
    """Collects what a batch writes; `write` puts it down in a handful of statements."""

    def __init__(self, sealer: Sealer, batch: BatchRecord) -> None:
        self._sealer = sealer
        self._at: datetime = batch.at
        self._source = batch.source
        self._config_hash = batch.config_hash
        self._lease = batch.lease
        self.claimed: list[Claimed] = []
        """What is leased with this, once it is written."""
        self._now = cast(int, micros(batch.at))
        self._until = micros(batch.lease.until)
        self._new: defaultdict[Table, list[Any]] = defaultdict(list)
        """Rows of `rowtypes`, table by table."""
        self._dead: list[dict[str, Any]] = []
        self._moves: list[dict[str, Any]] = []
        self._updates: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
        for recording in batch.recordings:
            self._add(recording)

    def write(self, connection: Connection) -> None:
        """Raises Conflict when an appeal is no longer as it was seen."""
        for table, rows in self._new.items():
            insert_rows(connection, table, rows)
        run_many(connection, _INSERT_DEAD, self._dead)
        for move in self._moves:
            if connection.execute(_MOVE, move).rowcount != 1:
                raise Conflict(self._source)
        for statement, changes in self._updates.items():
            run_many(connection, statement, changes)

    def _add(self, r: Recording) -> None:
        if r.before is None:
            self._insert_appeal(r)
        else:
            self._move_appeal(r, r.before)
        if not r.is_kept:
            self._new[t.envelopes].append(envelope_row(self._sealer, r, self._config_hash))
        if r.appeal is not None:
            kept = kept_appeal(r.appeal)
            self._new[t.revisions].append(revision_row(self._sealer, r, kept, self._config_hash, self._now))
            if r.appeal.attachments:
                self._carry(r.appeal)
            if self._lease.deliveries:
                self.claimed += claimed(r, kept, self._lease, self._config_hash, self._at)
        self._add_work(r)
        self._add_dead(r)
        if r.outcome not in _QUIET:
            said = _detail(r.after.revision, r.rule, r.twin)
            self._new[t.history].append(HistoryRow(r.after.appeal_id, self._now, r.outcome, said))

    def _carry(self, appeal: Appeal) -> None:
        """A later revision mostly carries the same attachments: once is enough."""
        for sha256 in {attachment.sha256 for attachment in appeal.attachments}:
            self._updates[_CARRY].append({"sha": sha256, "appeal": appeal.appeal_id})

    def _insert_appeal(self, r: Recording) -> None:
        described = _described(self._sealer, r.appeal) if r.appeal else Described()
        after = r.after
        self._new[t.appeals].append(
            AppealRow(
                after.appeal_id,
                r.envelope.source,
                r.envelope.source_id,
                after.state,
                after.revision,
                after.version,
                after.digest,
                after.raw_hash,
                micros(after.source_time),
                after.config_hash,
                after.envelope_id,
                *described,
                r.rule,
                r.twin,
                self._now,
                self._now,
            )
        )

    def _move_appeal(self, r: Recording, before: Head) -> None:
        moved = {f"to_{name}": value for name, value in self._head(r.after).items()}
        self._moves.append({"appeal": r.after.appeal_id, "seen": before.version, **moved})
        if r.appeal is not None:
            described = {f"to_{n}": v for n, v in _described(self._sealer, r.appeal)._asdict().items()}
            self._updates[_DESCRIBE].append({"appeal": r.after.appeal_id, "to_rule": r.rule, **described})

    def _head(self, head: Head) -> dict[str, Any]:
        return {
            "state": head.state,
            "revision": head.revision,
            "version": head.version,
            "digest": head.digest,
            "raw_hash": head.raw_hash,
            "source_time": head.source_time,
            "config_hash": head.config_hash,
            "envelope_id": head.envelope_id,
            "updated_at": self._at,
        }

    def _add_work(self, r: Recording) -> None:
        appeal_id = r.after.appeal_id
        for task in r.tasks:
            self._new[t.tasks].append(task_row(task, appeal_id, self._now))
        for delivery in r.deliveries:
            until = self._until if delivery.delivery_id in self._lease.deliveries else None
            row = delivery_row(delivery, appeal_id, self._config_hash, self._now, until)
            self._new[t.deliveries].append(row)
        for closed in r.closed_tasks:
            change = {"appeal": appeal_id, "task": closed.task_id, "to_state": closed.state, "at": self._at}
            self._updates[_CLOSE_TASK].append(change)
            if closed.state == "done":
                self._updates[_WITHDRAW_WORK].append({k: change[k] for k in ("appeal", "task", "at")})

    def _add_dead(self, r: Recording) -> None:
        if r.resolves_dead and r.before is not None:
            self._updates[_SETTLE].append({"appeal": r.after.appeal_id, "at": self._at})
        if r.dead is None:
            return
        self._dead.append(
            dead_row(
                r.dead,
                self._config_hash,
                self._at,
                source=r.envelope.source,
                source_id=r.envelope.source_id,
                appeal_id=r.after.appeal_id,
                envelope_id=r.envelope_id,
            )
        )


def look_up_hashes(sealer: Sealer, appeal: Appeal) -> tuple[str | None, str | None]:
    """The enterprise by its name, which every door knows (few know its credit code); the caller's phone."""
    firm = appeal.enterprise.name or appeal.enterprise.uscc
    phone = appeal.contact.phones[0] if appeal.contact.phones else ""
    return (
        sealer.keyed_hash("enterprise", fold(firm).encode()) if firm else None,
        sealer.keyed_hash("contact", phone.encode()) if phone else None,
    )


def _described(sealer: Sealer, appeal: Appeal) -> Described:
    return Described(appeal.channel, appeal.kind, appeal.region, *look_up_hashes(sealer, appeal))


@lru_cache(maxsize=1024)
def _detail(revision: int, rule: str | None, twin: str | None) -> str:
    """The same for most of a page."""
    said: dict[str, Any] = {"revision": revision, "rule": rule}
    if twin:
        said["twin"] = twin
    return to_json(said).decode()


def dead_row(dead: NewDead, config_hash: str, at: datetime, **known: Any) -> dict[str, Any]:
    """An open dead letter. `known` says what it is about: source, appeal, envelope, delivery …"""
    return {
        "dead_id": dead.dead_id,
        "state": "open",
        "stage": dead.stage.value,
        "reason": dead.reason.value,
        "sentence": dead.sentence[:2000],
        "attempts": 0,
        "replays": 0,
        "config_hash": config_hash,
        "created_at": at,
        "last_at": at,
        **known,
    }


def dead_delivery_row(dead: NewDead, delivery: Any, attempts: int, at: datetime) -> dict[str, Any]:
    """A dead letter about a delivery; `delivery` is its row joined with its appeal's source."""
    return dead_row(
        dead,
        delivery.config_hash,
        at,
        source=delivery.source,
        source_id=delivery.source_id,
        destination=delivery.destination,
        appeal_id=delivery.appeal_id,
        delivery_id=delivery.delivery_id,
        attempts=attempts,
    )


# inline: without it PostgreSQL's statement would end in RETURNING, and could not carry many rows.
_INSERT_DEAD = insert(t.dead_letters).inline()
_HEAD_COLUMNS = (
    "state", "revision", "version", "digest", "raw_hash", "source_time", "config_hash", "envelope_id",
    "updated_at",
)  # fmt: skip

_MOVE = (
    update(t.appeals)
    .where(t.appeals.c.appeal_id == bindparam("appeal"), t.appeals.c.version == bindparam("seen"))
    .values({name: bindparam(f"to_{name}") for name in _HEAD_COLUMNS})
)
_DESCRIBE = (
    update(t.appeals)
    .where(t.appeals.c.appeal_id == bindparam("appeal"))
    .values(
        {name: bindparam(f"to_{name}") for name in Described._fields}
        | {"rule": func.coalesce(bindparam("to_rule"), t.appeals.c.rule)}
    )
)
_CARRY = insert(t.attachments).from_select(
    ["sha256", "appeal_id"],
    select(bindparam("sha", type_=String), bindparam("appeal", type_=String)).where(
        ~exists().where(
            t.attachments.c.sha256 == bindparam("sha", type_=String),
            t.attachments.c.appeal_id == bindparam("appeal", type_=String),
        )
    ),
)
_CLOSE_TASK = (
    update(t.tasks)
    .where(t.tasks.c.task_id == bindparam("task"), t.tasks.c.appeal_id == bindparam("appeal"))
    .values(state=bindparam("to_state"), closed_at=bindparam("at"))
)
_WITHDRAW_WORK = (
    update(t.deliveries)
    .where(
        t.deliveries.c.appeal_id == bindparam("appeal"),
        t.deliveries.c.task_id == bindparam("task"),
        text(f"state IN {t.LIVE}"),
    )
    .values(state="cancelled", next_attempt_at=None, finished_at=bindparam("at"))
)
_SETTLE = (
    update(t.dead_letters)
    .where(
        t.dead_letters.c.appeal_id == bindparam("appeal"),
        t.dead_letters.c.envelope_id.is_not(None),
        text("state = 'open'"),
    )
    .values(state="settled", closed_at=bindparam("at"))
)
