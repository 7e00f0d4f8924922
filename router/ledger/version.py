"""
The schema's version: what the ledger has, and what this release needs.

Asked at every start and by every command, so without Alembic, which takes a fifth of a second to load.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from router.errors import ConfigError, Problem
from router.ledger.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def present(database: Database) -> str | None:
    """The version of the ledger's schema; None for an empty database."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def needed() -> str:
    """The version this release works with: migrations are a row, numbered by their files' names."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def require_current(database: Database) -> None:
    """Raise ConfigError with the command to type unless the schema is what this release needs."""
    found, wanted = present(database), needed()
    if found == wanted:
        return
    what = f"the ledger's schema is {found or 'empty'}, this release needs {wanted}"
    raise ConfigError([Problem("hub.yaml: database", what, "run: suqiu ledger upgrade")])
