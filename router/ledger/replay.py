"""What replaying reads and writes: each letter claimed and revived in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Connection, select, text, update

from router.flows.letters import MAIL
from router.flows.records import Actor, BatchRecord, Case
from router.flows.replay import DeadDelivery, DeadItem, Revival
from router.ledger import schema as t
from router.ledger.auditing import note
from router.ledger.bulk import insert_rows
from router.ledger.columns import micros
from router.ledger.database import Database
from router.ledger.documents import kept_appeal, revision_id, seal_document
from router.ledger.intake import HEAD_COLUMNS, IntakeStore, head_of
from router.ledger.rows import Rows
from router.ledger.rowtypes import delivery_row, task_row
from router.ledger.sealing import Sealer


class ReplayStore:
    """Keeps the port `router.flows.replay.ReplayLedger`."""

    def __init__(self, database: Database, sealer: Sealer, intake: IntakeStore) -> None:
        self._db = database
        self._sealer = sealer
        self._intake = intake

    def dead_item(self, dead_id: str) -> DeadItem | None:
        """The letter with its appeal, its original and its delivery."""
        with self._db.read() as connection:
            letter = connection.execute(
                select(t.dead_letters).where(t.dead_letters.c.dead_id == dead_id, text("state = 'open'"))
            ).first()
            if letter is None:
                return None
            head = connection.execute(
                select(*HEAD_COLUMNS).where(t.appeals.c.appeal_id == letter.appeal_id)
            ).first()
            delivery = self._delivery(connection, letter.delivery_id)
        if letter.appeal_id is None or head is None:
            mail = letter.source_id if letter.destination == MAIL else None
            return DeadItem(dead_id, letter.source, None, Case(), None, None, None, mail)
        envelope_id = letter.envelope_id or (delivery[1] if delivery else None)
        case = self._intake.cases([letter.appeal_id]).get(letter.appeal_id, Case())
        envelope = self._intake.kept_envelope(envelope_id) if envelope_id else None
        dead = delivery[0] if delivery else None
        return DeadItem(dead_id, letter.source, head_of(head), case, envelope, envelope_id, dead)

    def _delivery(
        self, connection: Connection, delivery_id: str | None
    ) -> tuple[DeadDelivery, str | None] | None:
        if delivery_id is None:
            return None
        d, r = t.deliveries.c, t.revisions.c
        row = connection.execute(
            select(d.delivery_id, d.destination, d.task_id, d.type, d.revision, r.outcome, r.envelope_id)
            .outerjoin(t.revisions, (r.appeal_id == d.appeal_id) & (r.revision == d.revision))
            .where(d.delivery_id == delivery_id)
        ).one()
        *known, envelope_id = row
        return DeadDelivery(*known), envelope_id

    def replay_envelope(self, dead_id: str, batch: BatchRecord, actor: Actor) -> bool:
        rows = Rows(self._sealer, batch)
        with self._db.write() as connection:
            if not _close(connection, dead_id, "replayed", batch.at):
                return False
            rows.write(connection)
            note(connection, batch.at, actor, "dead.replay", dead_id)
        return True

    def revive(self, revival: Revival, config_hash: str, actor: Actor, now: datetime) -> bool:
        with self._db.write() as connection:
            if not _close(connection, revival.dead_id, "replayed", now):
                return False
            if revival.appeal is not None:
                self._map_anew(connection, revival, config_hash)
            if revival.moved_to:
                self._move(connection, revival, config_hash, now)
            else:
                _due_again(connection, revival.delivery.delivery_id, config_hash, now)
            note(connection, now, actor, "dead.replay", revival.dead_id)
        return True

    def _map_anew(self, connection: Connection, revival: Revival, config_hash: str) -> None:
        """The revision as today's mapping makes it. The old form can be made again from the kept
        envelope and the kept configuration."""
        appeal = revival.appeal
        assert appeal is not None
        record_id = revision_id(appeal.appeal_id, appeal.revision)
        document = seal_document(self._sealer, record_id, kept_appeal(appeal), revival.decision)
        values = {"document": document, "key_id": self._sealer.current, "config_hash": config_hash}
        r = t.revisions.c
        connection.execute(
            update(t.revisions)
            .where(r.appeal_id == appeal.appeal_id, r.revision == appeal.revision)
            .values(values)
        )
        if revival.digest is not None:
            connection.execute(
                update(t.appeals)
                .where(t.appeals.c.appeal_id == appeal.appeal_id, t.appeals.c.revision == appeal.revision)
                .values(digest=revival.digest, config_hash=config_hash, version=t.appeals.c.version + 1)
            )

    def _move(self, connection: Connection, revival: Revival, config_hash: str, now: datetime) -> None:
        """The old unit's part ends here; the new units' parts begin."""
        assert revival.appeal is not None
        d, old = t.deliveries.c, revival.delivery
        connection.execute(
            update(t.deliveries)
            .where(d.appeal_id == revival.appeal.appeal_id, d.task_id == old.task_id)
            .where(text("state NOT IN ('accepted', 'published')"))
            .values(state="cancelled", next_attempt_at=None, finished_at=now)
        )
        connection.execute(
            update(t.tasks).where(t.tasks.c.task_id == old.task_id).values(state="cancelled", closed_at=now)
        )
        appeal_id = revival.appeal.appeal_id
        at = cast(int, micros(now))
        insert_rows(connection, t.tasks, [task_row(task, appeal_id, at) for task in revival.moved_to])
        rows = [delivery_row(delivery, appeal_id, config_hash, at) for delivery in revival.deliveries]
        insert_rows(connection, t.deliveries, rows)

    def post_again(self, dead_id: str, letter_id: str, actor: Actor, now: datetime) -> bool:
        due = {"state": "pending", "attempts": 0, "next_attempt_at": now, "finished_at": None}
        with self._db.write() as connection:
            if not _close(connection, dead_id, "replayed", now):
                return False
            connection.execute(update(t.letters).where(t.letters.c.letter_id == letter_id).values(due))
            note(connection, now, actor, "dead.replay", dead_id)
        return True

    def still_dead(self, dead_id: str, sentence: str, actor: Actor, now: datetime) -> None:
        c = t.dead_letters.c
        with self._db.write() as connection:
            connection.execute(
                update(t.dead_letters)
                .where(c.dead_id == dead_id, text("state = 'open'"))
                .values(sentence=sentence[:2000], replays=c.replays + 1, last_at=now)
            )
            note(connection, now, actor, "dead.replay_failed", dead_id)

    def discard(self, dead_id: str, actor: Actor, now: datetime) -> bool:
        """Close the letter and cancel its delivery; a register task stays with the desk."""
        with self._db.write() as connection:
            c = t.dead_letters.c
            letter = connection.execute(select(c.delivery_id).where(c.dead_id == dead_id)).first()
            if letter is None or not _close(connection, dead_id, "discarded", now):
                return False
            if letter.delivery_id is not None:
                connection.execute(
                    update(t.deliveries)
                    .where(t.deliveries.c.delivery_id == letter.delivery_id, text(f"state IN {t.STUCK}"))
                    .values(state="cancelled", finished_at=now)
                )
            note(connection, now, actor, "dead.discard", dead_id)
        return True


def _close(connection: Connection, dead_id: str, state: str, now: datetime) -> bool:
    """Compare and set: only one of many who try finds the letter open."""
    c = t.dead_letters.c
    closed = connection.execute(
        update(t.dead_letters)
        .where(c.dead_id == dead_id, text("state = 'open'"))
        .values(state=state, replays=c.replays + 1, closed_at=now)
    )
    return closed.rowcount == 1


def _due_again(connection: Connection, delivery_id: str, config_hash: str, now: datetime) -> None:
    d = t.deliveries.c
    connection.execute(
        update(t.deliveries)
        .where(d.delivery_id == delivery_id, text(f"state IN {t.STUCK}"))
        .values(
            state="pending",
            next_attempt_at=now,
            generation=d.generation + 1,
            reason=None,
            finished_at=None,
            config_hash=config_hash,
        )
    )
