"""
The tables of the ledger.

Times are whole microseconds since 1970 in UTC, the same on both databases and cheap to compare
(`to_timestamp(created_at / 1e6)` reads them in PostgreSQL). Personal data stands only in the
sealed columns: `body` and `document`. Partial indexes name their states literally, and so must
every statement that wants to use them.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from router.ledger.columns import Micros, Serial

LIVE = "('pending', 'retry_wait')"
"""A delivery in one of these is due at its `next_attempt_at`."""
STUCK = "('dead', 'rejected', 'parked')"
"""A delivery in one of these waits for a person, and holds back the later ones of its appeal."""

metadata = MetaData()


def partial_index(name: str, *columns: str, where: str) -> Index:
    """An index over the rows of which this holds, on both databases.

    That it is partial on PostgreSQL too is said where it is made, in the migrations: saying it here would
    load PostgreSQL's dialect, a thirtieth of a start, on SQLite as well.
    """
    return Index(name, *columns, sqlite_where=text(where))


configurations = Table(
    "configurations",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Micros, nullable=False),
)

envelopes = Table(
    "envelopes",
    metadata,
    Column("envelope_id", String(36), primary_key=True),
    Column("appeal_id", String(36), nullable=False, index=True),
    Column("source", String(64), nullable=False),
    Column("source_id", String(200), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("received_at", Micros, nullable=False),
    Column("updated_at", Micros),
    Column("delivery_id", String(200)),
    Column("content_type", String(64), nullable=False),
    Column("config_hash", String(64), nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

appeals = Table(
    "appeals",
    metadata,
    Column("appeal_id", String(36), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("source_id", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", String(64)),
    Column("raw_hash", String(64), nullable=False),
    Column("source_time", Micros),
    Column("config_hash", String(64), nullable=False),
    Column("envelope_id", String(36)),
    Column("channel", String(64)),
    Column("kind", String(16)),
    Column("region", String(6)),
    Column("rule", String(64)),
    Column("enterprise_hash", String(32)),
    Column("contact_hash", String(32)),
    Column("twin", String(36)),
    Column("created_at", Micros, nullable=False),
    Column("updated_at", Micros, nullable=False),
    UniqueConstraint("source", "source_id", name="uq_appeals_source_item"),
    Index("ix_appeals_created", "created_at"),
    # Lists go from the newest on: with these, by source and by state, too.
    Index("ix_appeals_source", "source", "appeal_id"),
    Index("ix_appeals_state", "state", "appeal_id"),
    partial_index("ix_appeals_enterprise", "enterprise_hash", where="enterprise_hash IS NOT NULL"),
    partial_index("ix_appeals_contact", "contact_hash", where="contact_hash IS NOT NULL"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("appeal_id", String(36), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("outcome", String(16), nullable=False),
    Column("envelope_id", String(36), nullable=False),
    Column("config_hash", String(64), nullable=False),
    Column("created_at", Micros, nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("appeal_id", String(36), primary_key=True),
)
"""Which appeal carries which bytes: decides who may read them. The bytes are in the attachment store."""

tasks = Table(
    "tasks",
    metadata,
    Column("task_id", String(36), primary_key=True),
    Column("appeal_id", String(36), nullable=False, index=True),
    Column("unit", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("returns", Integer, nullable=False, default=0),
    Column("created_at", Micros, nullable=False),
    Column("due_at", Micros),
    Column("closed_at", Micros),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", String(36), primary_key=True),
    Column("appeal_id", String(36), nullable=False),
    Column("destination", String(64), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("task_id", String(36), nullable=False),
    Column("type", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("generation", Integer, nullable=False, default=0),
    Column("next_attempt_at", Micros),
    Column("lease_until", Micros),
    Column("created_at", Micros, nullable=False),
    Column("finished_at", Micros),
    Column("reason", String(32)),
    Column("config_hash", String(64), nullable=False),
    UniqueConstraint("appeal_id", "destination", "sequence", name="uq_deliveries_order"),
    partial_index("ix_deliveries_due", "destination", "next_attempt_at", where=f"state IN {LIVE}"),
    partial_index("ix_deliveries_stuck", "destination", "state", where=f"state IN {STUCK}"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("attempt_id", Serial, primary_key=True, autoincrement=True),
    Column("delivery_id", String(36), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("at", Micros, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False),
)

history = Table(
    "history",
    metadata,
    Column("history_id", Serial, primary_key=True, autoincrement=True),
    Column("appeal_id", String(36), nullable=False, index=True),
    Column("at", Micros, nullable=False),
    Column("what", String(32), nullable=False),
    Column("detail", JSON),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("dead_id", String(36), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("source", String(64)),
    Column("source_id", String(200)),
    Column("destination", String(64)),
    Column("appeal_id", String(36), index=True),
    Column("envelope_id", String(36)),
    Column("delivery_id", String(36)),
    Column("attempts", Integer, nullable=False, default=0),
    Column("replays", Integer, nullable=False, default=0),
    Column("config_hash", String(64), nullable=False),
    Column("created_at", Micros, nullable=False),
    Column("last_at", Micros, nullable=False),
    Column("closed_at", Micros),
    Column("key_id", String(32)),
    Column("body", LargeBinary),
    partial_index("ix_dead_letters_open", "created_at", where="state = 'open'"),
    Index("ix_dead_letters_delivery", "delivery_id"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("position", JSON, nullable=False),
    Column("updated_at", Micros, nullable=False),
)

item_sets = Table(
    "item_sets",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("unit", String(64), nullable=False),
    Column("period", String(64), nullable=False),
    Column("first_at", Micros, nullable=False),
    Column("sent_at", Micros, nullable=False),
    Column("received_at", Micros, nullable=False),
    Column("times", Integer, nullable=False),
    Column("original", String(64)),
)
"""Tables that replace one another as a whole: the one that counts now (`sent_at`), when one came first
(`first_at`), and how often. Its items' ids begin with its name."""

letters = Table(
    "letters",
    metadata,
    Column("letter_id", String(64), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Micros),
    Column("created_at", Micros, nullable=False),
    Column("finished_at", Micros),
    Column("key_id", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    partial_index("ix_letters_due", "next_attempt_at", where="state = 'pending'"),
)
"""Mails of the hub's own, `pending`, `sent` or `dead`."""

approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", String(36), primary_key=True),
    Column("unit", String(200), nullable=False),
    Column("unit_key", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("requested_at", Micros, nullable=False),
    Column("decided_at", Micros),
    Column("decided_by", String(100)),
    Column("user_hash", String(32), nullable=False),
    Column("phone_hash", String(32), nullable=False),
    Column("user_masked", String(64), nullable=False),
    Column("phone_masked", String(32), nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("unit_key", "user_hash", "phone_hash", name="uq_approvals_user"),
    Index("ix_approvals_phone", "unit_key", "phone_hash"),
)
"""Annex 2: which unit reports directly through which L1 user; `pending`, `approved` or `revoked`. `unit` is
what people read, `unit_key` what is looked up. The days are Shanghai's, both inclusive."""

leases = Table(
    "leases",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("owner", String(100), nullable=False),
    Column("until", Micros, nullable=False),
    Column("generation", Integer, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", Serial, primary_key=True, autoincrement=True),
    Column("at", Micros, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("action", String(32), nullable=False),
    Column("target", String(100), nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", JSON),
)
