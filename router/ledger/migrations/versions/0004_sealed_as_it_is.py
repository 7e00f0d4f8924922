"""
PostgreSQL keeps sealed values in their rows, as they are.

It would try to compress what is longer than two kilobytes, which nobody can do with what is sealed, and then
put it into a table of its own, in pieces. What was written before stays where it is.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

SEALED = {"envelopes": "body", "revisions": "document"}
LARGEST_INLINE = 8160
"""Bytes of a row: what a page of PostgreSQL holds."""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column in SEALED.items():
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
            op.execute(f"ALTER TABLE {table} SET (toast_tuple_target = {LARGEST_INLINE})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column in SEALED.items():
            op.execute(f"ALTER TABLE {table} RESET (toast_tuple_target)")
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTENDED")
