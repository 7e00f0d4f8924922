"""Several processes on one SQLite ledger: who is first, and whose turn it is to write."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from router.errors import LedgerUnavailable
from router.ledger import database as turns
from router.ledger.database import Database
from router.ledger.presence import Presence

HOLDS = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("writing", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
"""
ENTERS = """
import sys, time
from pathlib import Path
from router.ledger.presence import Presence
presence = Presence(Path(sys.argv[1]))
first = presence.enter()
presence.settle()
print(first, flush=True)
time.sleep(60)
"""


@contextmanager
def another(program: str, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process, and the first line it says."""
    command = [sys.executable, "-c", program, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    database = Database(f"sqlite:///{tmp_path / 'suqiu.db'}")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE said (word TEXT)"))
    database.close()
    return tmp_path / "suqiu.db"


def test_only_the_first_process_is_told_that_it_is_first(file: Path) -> None:
    with another(ENTERS, str(file)) as (_, first), another(ENTERS, str(file)) as (_, second):
        assert (first, second) == ("True", "False")


def test_once_all_were_killed_the_next_is_first_again(file: Path) -> None:
    with another(ENTERS, str(file)) as (killed, _):
        killed.kill()
        killed.wait()
    presence = Presence(file)
    assert presence.enter()
    presence.leave()
    presence.leave()
    assert presence.enter(), "who left is not there any more"
    presence.leave()


def test_others_wait_until_the_first_has_settled(file: Path) -> None:
    one, two = Presence(file), Presence(file)
    assert one.enter()
    told: list[bool] = []
    waiting = threading.Thread(target=lambda: told.append(two.enter()))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    one.settle()
    waiting.join(10)
    assert told == [False]
    one.leave()
    two.leave()


def test_a_writer_waits_for_its_turn_while_another_process_writes(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    with another(HOLDS, str(file), "0.3"):
        began = time.monotonic()
        with database.write() as connection:
            connection.execute(text("INSERT INTO said VALUES ('ours')"))
        assert time.monotonic() - began > 0.1
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM said")).scalar() == 1
    database.close()


def test_who_waits_too_long_is_told_that_the_ledger_is_away(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "BUSY_TIMEOUT_MS", 200)
    database = Database(f"sqlite:///{file}")
    with another(HOLDS, str(file), "30"):
        with pytest.raises(LedgerUnavailable, match="locked"), database.write():
            pytest.fail("two wrote at once")
        with database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM said")).scalar() == 0
    with database.write() as connection:
        connection.execute(text("INSERT INTO said VALUES ('at last')"))
    database.close()
