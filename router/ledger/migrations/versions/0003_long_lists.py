"""Lists of appeals by source and by state stay quick however many there are."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_appeals_source", "appeals", ["source", "appeal_id"], unique=False)
    op.create_index("ix_appeals_state", "appeals", ["state", "appeal_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_appeals_state", table_name="appeals")
    op.drop_index("ix_appeals_source", table_name="appeals")
