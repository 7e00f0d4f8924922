"""Durability is not traded for speed: what was committed is on the disk, counted by the system calls."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from demo.servers.postgres import PostgreSQL
from demo.servers.server import MissingPackage
from router.ledger.database import Database
from tests.ledger.batches_under_strace import BATCHES
from tests.servers import find_strace, missing

ROOT = Path(__file__).parents[2]
STEPS = ("accept", "claim", "settle")
_MARK = re.compile(r'access(?:at2?)?\(.*"mark:([a-z]+)(?:-\d+)?"')
_SYNC = re.compile(r"\b(?:fsync|fdatasync)\(\d+<([^>]+)>")


@pytest.fixture
def strace() -> str:
    return str(find_strace())


@pytest.fixture
def durable_database_url() -> Iterator[str]:
    """On a PostgreSQL as a city runs it; the one of the other tests spares the disk."""
    try:
        server = PostgreSQL()
    except MissingPackage as error:
        missing(error)
    with server:
        yield server.server.create_database("durable")


def syncs(strace: str, folder: Path, *words: str) -> dict[str, list[list[str]]]:
    """Step → for each time it was done, the files that were synced."""
    trace = folder / "trace"
    calls = "trace=fsync,fdatasync,access,faccessat,faccessat2"
    command = [strace, "-f", "-y", "-s", "64", "-e", calls, "-e", "signal=none", "-o", str(trace)]
    child = [sys.executable, "-m", "tests.ledger.batches_under_strace", str(folder), *words]
    subprocess.run([*command, *child], check=True, cwd=ROOT, timeout=120)
    found: dict[str, list[list[str]]] = defaultdict(list)
    step = "before"
    for line in trace.read_text().splitlines():
        if begins := _MARK.search(line):
            step = begins[1]
            found[step].append([])
        elif (synced := _SYNC.search(line)) and step in STEPS:
            found[step][-1].append(Path(synced[1]).name)
    return found


def test_a_batch_is_one_commit_and_every_commit_is_on_the_disk(strace: str, tmp_path: Path) -> None:
    found = syncs(strace, tmp_path)
    for step in STEPS:
        assert len(found[step]) == BATCHES, "each step begins with its mark"
        for files in found[step]:
            assert 1 <= files.count("suqiu.db-wal") <= 2, f"{step}: {files}"


def test_the_count_sees_it_when_commits_are_not_synced(strace: str, tmp_path: Path) -> None:
    found = syncs(strace, tmp_path, "NORMAL")
    assert [len(files) for step in STEPS for files in found[step]].count(0) > BATCHES


def test_sqlite_syncs_fully(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'suqiu.db'}")
    with database.write() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    database.close()


def test_postgresql_commits_synchronously_in_the_hubs_session(durable_database_url: str) -> None:
    database = Database(durable_database_url)
    with database.write() as connection:
        for name in ("synchronous_commit", "fsync", "full_page_writes"):
            assert connection.execute(text(f"SHOW {name}")).scalar() == "on", name
    database.close()
