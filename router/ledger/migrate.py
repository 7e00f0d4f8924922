"""
The schema's version: what the ledger has, what this release needs, and the way from one to the other.

`suqiu run` never migrates by itself: a second process may still be working on the old schema.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from router.errors import ConfigError, Problem
from router.ledger.database import Database

_FOLDER = Path(__file__).parent / "migrations"


def present(database: Database) -> str | None:
    """The version of the ledger's schema; None for an empty database."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def needed() -> str:
    """The version this release works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the schema up to what is needed, in one transaction; (before, after)."""
    before = present(database)
    config = _config()
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, needed()


def require_current(database: Database) -> None:
    """Raise ConfigError with the command to type unless the schema is what this release needs."""
    found, wanted = present(database), needed()
    if found == wanted:
        return
    what = f"the ledger's schema is {found or 'empty'}, this release needs {wanted}"
    raise ConfigError([Problem("hub.yaml: database", what, "run: suqiu ledger upgrade")])


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
