"""
The way from one version of the schema to the next.

`suqiu run` never migrates by itself: a second process may still be working on the old schema.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config

from router.ledger.database import Database
from router.ledger.version import MIGRATIONS, needed, present


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the schema up to what is needed, in one transaction; (before, after)."""
    before = present(database)
    config = configuration()
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, needed()


def configuration() -> Config:
    """Alembic's, without a file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
