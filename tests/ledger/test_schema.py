"""The migrations make the very schema that the code works with, on both databases."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from router.errors import ConfigError
from router.ledger import migrate, version
from router.ledger.database import Database
from router.ledger.schema import metadata


def test_the_migrations_lead_to_todays_schema(ledger_url: str) -> None:
    database = Database(ledger_url)
    assert migrate.upgrade(database) == (None, version.needed())
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_upgrading_twice_changes_nothing(ledger_url: str) -> None:
    database = Database(ledger_url)
    migrate.upgrade(database)
    assert migrate.upgrade(database) == (version.needed(), version.needed())
    database.close()


def test_an_old_schema_is_refused_with_the_command_to_type(ledger_url: str) -> None:
    database = Database(ledger_url)
    with pytest.raises(ConfigError, match="suqiu ledger upgrade"):
        version.require_current(database)
    migrate.upgrade(database)
    version.require_current(database)
    database.close()


def test_sqlite_survives_a_power_cut(tmp_path: object) -> None:
    """synchronous=FULL and WAL, on every connection."""
    database = Database(f"sqlite:///{tmp_path}/x.db")
    for opened in (database.read, database.write):
        with opened() as connection:
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    database.close()


def test_the_version_that_is_asked_for_is_the_end_of_alembics_row() -> None:
    script = ScriptDirectory.from_config(migrate.configuration())
    assert script.get_heads() == [version.needed()]
    assert script.get_base() == min(revision.revision for revision in script.walk_revisions())


def test_postgresql_neither_compresses_what_is_sealed_nor_puts_it_elsewhere(database_url: str) -> None:
    database = Database(database_url)
    migrate.upgrade(database)
    asked = text(
        "SELECT relname, attstorage, reloptions FROM pg_class c JOIN pg_attribute ON attrelid = c.oid"
        " WHERE (relname, attname) IN (('envelopes', 'body'), ('revisions', 'document')) ORDER BY 1"
    )
    with database.read() as connection:
        found = [(name, storage, list(options)) for name, storage, options in connection.execute(asked)]
    inline = ["toast_tuple_target=8160"]
    assert found == [("envelopes", "e", inline), ("revisions", "e", inline)]
    database.close()
