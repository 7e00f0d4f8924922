"""
The ledger as people look at it: lists, one appeal's whole story, and the numbers for the gauges.

Everything here is masked or free of personal data, except `appeal_document`, whose caller must
hold the right and leave an audit row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, select

from router.flows.records import Actor
from router.ledger import schema as t
from router.ledger.auditing import note
from router.ledger.database import Database
from router.ledger.documents import open_document, open_envelope
from router.ledger.sealing import Sealer
from router.masking import mask_name, mask_phone, mask_text
from router.message import Envelope
from router.reasons import Reason

Row = dict[str, Any]
MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Filter:
    """What to list. Empty fields do not filter."""

    source: str | None = None
    source_id: str | None = None
    state: str | None = None
    destination: str | None = None
    unit: str | None = None
    stage: str | None = None
    reason: str | None = None
    since: datetime | None = None
    before: str | None = None
    """The id of the last row seen, for the next page: lists go from the newest to the oldest."""
    limit: int = 50


class Views:
    """Reading only; never waits for a writer."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._db = database
        self._sealer = sealer

    def appeals(self, wanted: Filter) -> list[Row]:
        """Appeals, newest first; titles masked."""
        a, r = t.appeals.c, t.revisions.c
        query: Select[Any] = (
            select(
                a.appeal_id, a.source, a.source_id, a.state, a.revision, a.channel, a.kind, a.region, a.rule,
                a.created_at, a.updated_at, r.key_id, r.document,
            )
            .outerjoin(t.revisions, and_(r.appeal_id == a.appeal_id, r.revision == a.revision))
            .order_by(a.appeal_id.desc())
        )  # fmt: skip
        query = _filtered(query, wanted, source=a.source, source_id=a.source_id, state=a.state)
        if wanted.source_id is not None and wanted.source is None:
            # An item's own number is unique within its source, and found by both together only.
            query = query.where(a.source.in_(self._sources()))
        query = _paged(query, wanted, a.appeal_id, a.created_at)
        return [self._titled(row) for row in self._all(query)]

    def _sources(self) -> list[str]:
        """Every source that ever sent anything: one look into the index for each."""
        found: list[str] = []
        following = select(func.min(t.appeals.c.source)).where(t.appeals.c.source > bindparam("last"))
        with self._db.read() as connection:
            while source := connection.execute(following, {"last": found[-1] if found else ""}).scalar():
                found.append(source)
        return found

    def _titled(self, row: Row) -> Row:
        key_id, sealed = row.pop("key_id"), row.pop("document")
        title = ""
        if sealed is not None:
            title = open_document(self._sealer, key_id, row["appeal_id"], row["revision"], sealed)["appeal"][
                "title"
            ]
        return {**row, "title": mask_text(title, 24)}

    def appeal(self, appeal_id: str) -> Row | None:
        """One appeal's whole story: revisions, tasks, deliveries, attempts, dead letters, history. Masked."""
        with self._db.read() as connection:
            head = connection.execute(select(t.appeals).where(t.appeals.c.appeal_id == appeal_id)).first()
            if head is None:
                return None
            story: Row = dict(head._mapping)
            for name, table, order in _PARTS:
                rows = connection.execute(
                    select(*_open_columns(table)).where(table.c.appeal_id == appeal_id).order_by(order)
                )
                story[name] = [dict(row._mapping) for row in rows]
            story["attempts"] = [
                dict(row._mapping)
                for row in connection.execute(
                    select(t.attempts)
                    .join(t.deliveries, t.deliveries.c.delivery_id == t.attempts.c.delivery_id)
                    .where(t.deliveries.c.appeal_id == appeal_id)
                    .order_by(t.attempts.c.attempt_id)
                )
            ]
        found = self.document(appeal_id, story["revision"])
        story["appeal"] = _masked(found["appeal"]) if found else None
        story["decision"] = found["decision"] if found else None
        return story

    def document(self, appeal_id: str, revision: int) -> Mapping[str, Any] | None:
        """A revision's appeal and decision in full. For the hub's own use: nothing here is masked."""
        r = t.revisions.c
        with self._db.read() as connection:
            row = connection.execute(
                select(t.revisions).where(r.appeal_id == appeal_id, r.revision == revision)
            ).first()
        if row is None:
            return None
        return open_document(self._sealer, row.key_id, appeal_id, revision, row.document)

    def reveal(self, appeal_id: str, revision: int, actor: Actor, now: datetime) -> Mapping[str, Any] | None:
        """The same for a person who has the right to see it; leaves an audit row first."""
        with self._db.write() as connection:
            note(connection, now, actor, "appeal.reveal", f"{appeal_id}/{revision}")
        return self.document(appeal_id, revision)

    def original(self, appeal_id: str, revision: int | None = None) -> tuple[Envelope, str] | None:
        """The envelope that a revision (or the latest look) was made from, and its configuration's hash.

        The revision's own hash where there is one: a replay reads an old envelope under a new configuration.
        """
        e, r = t.envelopes.c, t.revisions.c
        made = (r.appeal_id == e.appeal_id) & (r.envelope_id == e.envelope_id)
        query = (
            select(t.envelopes, r.config_hash.label("made_under"))
            .outerjoin(t.revisions, made)
            .where(e.appeal_id == appeal_id)
            .order_by(e.envelope_id.desc(), r.revision.desc())
        )
        if revision is not None:
            query = query.where(r.revision == revision)
        with self._db.read() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else (open_envelope(self._sealer, row), row.made_under or row.config_hash)

    def tasks(self, wanted: Filter) -> list[Row]:
        k, a = t.tasks.c, t.appeals.c
        query: Select[Any] = (
            select(*t.tasks.c, a.source, a.source_id, a.revision, a.region, a.kind)
            .join(t.appeals, a.appeal_id == k.appeal_id)
            .order_by(k.task_id.desc())
        )
        query = _filtered(query, wanted, source=a.source, source_id=a.source_id, state=k.state, unit=k.unit)
        return self._all(_paged(query, wanted, k.task_id, k.created_at))

    def deliveries(self, wanted: Filter) -> list[Row]:
        d, a = t.deliveries.c, t.appeals.c
        query: Select[Any] = (
            select(*t.deliveries.c, a.source, a.source_id)
            .join(t.appeals, a.appeal_id == d.appeal_id)
            .order_by(d.delivery_id.desc())
        )
        query = _filtered(
            query, wanted, source=a.source, source_id=a.source_id, state=d.state, destination=d.destination,
            reason=d.reason,
        )  # fmt: skip
        return self._all(_paged(query, wanted, d.delivery_id, d.created_at))

    def dead(self, wanted: Filter) -> list[Row]:
        """Dead letters, oldest first: the order in which they are mended."""
        c = t.dead_letters.c
        columns = [column for column in c if column.name not in ("key_id", "body")]
        query = select(*columns).where(c.state == (wanted.state or "open")).order_by(c.created_at, c.dead_id)
        query = _filtered(
            query, wanted, source=c.source, source_id=c.source_id, destination=c.destination, stage=c.stage,
            reason=c.reason,
        )  # fmt: skip
        if wanted.since:
            query = query.where(c.created_at >= wanted.since)
        return self._all(query.limit(min(wanted.limit, MAX_ROWS)))

    def one(self, table: str, id_: str) -> Row | None:
        """One task, delivery or dead letter by its id, without its sealed columns."""
        found, key = _BY_ID[table]
        rows = self._all(select(*_open_columns(found)).where(key == id_))
        return rows[0] if rows else None

    def audit(self, limit: int = 100) -> list[Row]:
        return self._all(select(t.audit).order_by(t.audit.c.audit_id.desc()).limit(min(limit, MAX_ROWS)))

    def fates(self) -> Iterator[Row]:
        """For every appeal: source, source id, state, revision, and each delivery's destination and state."""
        a, d = t.appeals.c, t.deliveries.c
        query: Select[Any] = (
            select(a.source, a.source_id, a.appeal_id, a.state, a.revision, d.destination, d.sequence)
            .add_columns(d.type, d.revision.label("delivered_revision"), d.state.label("delivery_state"))
            .outerjoin(t.deliveries, d.appeal_id == a.appeal_id)
            .order_by(a.appeal_id, d.destination, d.sequence)
        )
        with self._db.read() as connection:
            for row in connection.execution_options(yield_per=2000).execute(query):
                yield dict(row._mapping)

    def status(self, source: str, appeal_id: str) -> dict[str, object] | None:
        """Keeps the port `router.ports.AppealStatus`."""
        a, k = t.appeals.c, t.tasks.c
        with self._db.read() as connection:
            head = connection.execute(
                select(a.appeal_id, a.source_id, a.state, a.revision, a.created_at, a.updated_at).where(
                    a.appeal_id == appeal_id, a.source == source
                )
            ).first()
            if head is None:
                return None
            tasks = connection.execute(
                select(k.unit, k.role, k.state, k.created_at, k.closed_at)
                .where(k.appeal_id == appeal_id)
                .order_by(k.task_id)
            ).all()
            why = self._objection(connection, appeal_id) if head.state == "unapproved" else {}
        return {**head._mapping, **why, "tasks": [dict(task._mapping) for task in tasks]}

    def _objection(self, connection: Connection, appeal_id: str) -> dict[str, str]:
        """Why a direct report was not admitted, in the words meant for whoever reported."""
        d = t.dead_letters.c
        latest = (
            select(d.sentence)
            .where(d.appeal_id == appeal_id, d.reason == Reason.UNAPPROVED.value)
            .order_by(d.created_at.desc())
            .limit(1)
        )
        return {"reason": connection.execute(latest).scalar() or ""}

    def _all(self, query: Select[Any]) -> list[Row]:
        with self._db.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]


def _filtered(query: Select[Any], wanted: Filter, **columns: Any) -> Select[Any]:
    for name, column in columns.items():
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(column == value)
    return query


def _paged(query: Select[Any], wanted: Filter, key: Any, created_at: Any) -> Select[Any]:
    if wanted.since is not None:
        query = query.where(created_at >= wanted.since)
    if wanted.before is not None:
        query = query.where(key < wanted.before)
    return query.limit(min(wanted.limit, MAX_ROWS))


def _open_columns(table: Any) -> list[Any]:
    return [column for column in table.c if column.name not in ("body", "document", "key_id")]


def _masked(appeal: Mapping[str, Any]) -> Row:
    contact = appeal["contact"]
    return {
        **appeal,
        "title": mask_text(appeal["title"], 40),
        "content": mask_text(appeal["content"], 80),
        "address": mask_text(appeal["address"], 12),
        "enterprise": {**appeal["enterprise"], "name": mask_name(appeal["enterprise"]["name"])},
        "contact": {
            **contact,
            "name": mask_name(contact["name"]),
            "phones": [mask_phone(phone) for phone in contact["phones"]],
        },
        "extensions": {name: mask_text(str(value), 40) for name, value in appeal["extensions"].items()},
    }


_PARTS: tuple[tuple[str, Any, Any], ...] = (
    ("envelopes", t.envelopes, t.envelopes.c.envelope_id),
    ("revisions", t.revisions, t.revisions.c.revision),
    ("tasks", t.tasks, t.tasks.c.task_id),
    ("deliveries", t.deliveries, t.deliveries.c.delivery_id),
    ("dead_letters", t.dead_letters, t.dead_letters.c.dead_id),
    ("history", t.history, t.history.c.history_id),
)
_BY_ID: dict[str, tuple[Any, Any]] = {
    "tasks": (t.tasks, t.tasks.c.task_id),
    "deliveries": (t.deliveries, t.deliveries.c.delivery_id),
    "dead_letters": (t.dead_letters, t.dead_letters.c.dead_id),
}
