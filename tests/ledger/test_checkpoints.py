"""SQLite's log gets into its file without the commits having to see to it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from router.ledger import database as module
from router.ledger.database import Checkpointing
from tests.broker.publishing import at_work, until
from tests.hub import Hub


def appeals_in_the_file_alone(folder: Path) -> int:
    """Without the log beside it."""
    alone = shutil.copy(folder / "ledger.db", folder / "alone.db")
    connection = sqlite3.connect(alone)
    try:
        found: int = connection.execute("SELECT count(*) FROM appeals").fetchone()[0]
    finally:
        connection.close()
    return found


def test_what_was_committed_is_copied_while_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", module.CHECKPOINT_EVERY / 100)
    hub = Hub(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)
    hub.database.checkpoint()
    hub.accept(*hub.items(10))
    assert appeals_in_the_file_alone(tmp_path) == 0

    with at_work(Checkpointing(hub.database).run, ends_within=5):
        until(lambda: appeals_in_the_file_alone(tmp_path) == 10)
        hub.accept(hub.item("later"))
        until(lambda: appeals_in_the_file_alone(tmp_path) == 11)
    hub.database.close()


def test_a_database_that_is_away_does_not_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", module.CHECKPOINT_EVERY / 100)
    hub = Hub(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)
    tries: list[None] = []

    def fail() -> None:
        tries.append(None)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(hub.database, "checkpoint", fail)
    with at_work(Checkpointing(hub.database).run, ends_within=5):
        until(lambda: len(tries) > 2)
    assert len(tries) > 2
    hub.database.close()
