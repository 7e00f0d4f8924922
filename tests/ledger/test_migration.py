"""A ledger of the first schema that is full keeps everything on the way to today's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, insert, select, text

import router.ledger
from router.directory import Directory, Unit
from router.flows.records import Actor
from router.ledger import migrate, schema, version
from router.ledger.approvals import Application, Approvals
from router.ledger.database import Database
from router.ledger.views import Filter
from tests.hub import Hub, new_id

WHO = Actor("a", "b")


def script() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(router.ledger.__file__).parent / "migrations"))
    return config


def move(database: Database, to: str) -> None:
    config = script()
    with database.write() as connection:
        config.attributes["connection"] = connection
        verb = command.upgrade if to >= (version.present(database) or "") else command.downgrade
        verb(config, to)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Hub]:
    """A day's work: done, under way, dead, revised."""
    hub = Hub(f"sqlite:///{tmp_path / 'full.db'}", tmp_path)
    hub.accept(*hub.items(20))
    hub.accept(hub.item("i1", "补充：材料已齐"))
    hub.accept(hub.item("bad").model_copy(update={"body": b"{}"}))
    yield hub
    hub.close()


def pour(full: Hub, old: Database) -> None:
    """Every row that today's ledger holds into the tables and columns that the first schema had."""
    there, here = MetaData(), MetaData()
    there.reflect(old.engine)
    here.reflect(full.database.engine)
    with full.database.read() as source, old.write() as target:
        for table in there.sorted_tables:
            if table.name == "alembic_version":
                continue
            # A number that the database gives is given anew, or it would not know where to go on.
            names = [c.name for c in table.c if c.name not in ("history_id", "attempt_id", "audit_id")]
            kept = here.tables[table.name]
            chosen = select(*(kept.c[name] for name in names)).order_by(*kept.primary_key)
            rows = [dict(row._mapping) for row in source.execute(chosen)]
            if rows:
                target.execute(insert(table), rows)


def test_a_full_ledger_keeps_everything_and_can_take_approvals(
    full: Hub, ledger_url: str, tmp_path: Path
) -> None:
    old = Database(ledger_url)
    move(old, "0001")
    assert version.present(old) == "0001"
    pour(full, old)
    assert migrate.upgrade(old) == ("0001", version.needed())
    old.close()

    hub = Hub(ledger_url, tmp_path / "new", full.clock)
    wanted = Filter(limit=1000)
    assert hub.views.appeals(wanted) == full.views.appeals(wanted)
    for row in full.views.appeals(wanted):
        assert hub.views.appeal(row["appeal_id"]) == full.views.appeal(row["appeal_id"])
    assert hub.outcomes(hub.item("i1", "补充：再补一份"), hub.item("later")) == ["revision", "new"]
    approvals = Approvals(hub.database, hub.sealer, Directory([Unit("gaj", "市公安局")]), hub.clock, new_id)
    form = Application(unit="市公安局", user="某人", phone="13900001111")
    assert approvals.import_([form], WHO)[0].outcome == "new"
    hub.close()


def test_the_way_back_leaves_what_the_first_schema_knew(ledger_url: str, tmp_path: Path) -> None:
    hub = Hub(ledger_url, tmp_path)
    hub.accept(*hub.items(3))
    before = hub.views.appeals(Filter())
    move(hub.database, "0001")
    assert version.present(hub.database) == "0001"
    assert migrate.upgrade(hub.database) == ("0001", version.needed())
    assert hub.views.appeals(Filter()) == before
    hub.close()


def test_what_is_a_partial_index_on_sqlite_is_one_on_postgresql(database_url: str) -> None:
    """The tables' definitions say it for SQLite only; a new migration must say it for both."""
    partial = {
        index.name
        for table in schema.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    ledger = Database(database_url)
    migrate.upgrade(ledger)
    with ledger.read() as connection:
        found = connection.execute(text("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '% WHERE %'"))
        made = set(found.scalars())
    ledger.close()
    assert partial
    assert partial <= made
