"""The simulated exchange table: what is marked as taken is handed out, and what follows is put up again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from demo.plan import Item, plan
from demo.record import Record, read
from demo.sources.exchange import Exchange

NOON = datetime(2025, 9, 16, 12, 0)


@pytest.fixture
def items() -> list[Item]:
    own = [item for item in plan(7, 3000) if item.source == "exchange"]
    changing = next(item for item in own if item.changes)
    unreadable = next(item for item in own if item.fate == "dead")
    return [changing, unreadable, *[item for item in own if item.versions == 1][:3]]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record(tmp_path / "handed-out-exchange.jsonl") as record:
        yield record


def exchange(tmp_path: Path, items: list[Item], record: Record) -> Exchange:
    return Exchange(tmp_path / "exchange.db", items, record, wave=100, moment=lambda: NOON)


def ask(tmp_path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(tmp_path / "exchange.db")) as database:
        found = database.execute(sql).fetchall()
        database.commit()
    return found


def take_all(tmp_path: Path) -> int:
    return len(ask(tmp_path, "UPDATE QiyeSuqiu SET TakeState = '1' WHERE TakeState = '0' RETURNING SourceID"))


def test_nothing_is_handed_out_before_it_was_taken(tmp_path: Path, items: list[Item], record: Record) -> None:
    table = exchange(tmp_path, items, record)
    table.turn()
    table.turn()
    assert read(tmp_path / "handed-out-exchange.jsonl") == []
    assert not table.progress().is_exhausted


def test_every_version_is_put_up_after_the_one_before_was_taken(
    tmp_path: Path, items: list[Item], record: Record
) -> None:
    table = exchange(tmp_path, items, record)
    table.turn()
    assert take_all(tmp_path) == len(items)
    table.turn()
    assert take_all(tmp_path) == 1, "the one that changes"
    table.turn()
    assert table.progress().is_exhausted
    told = read(tmp_path / "handed-out-exchange.jsonl")
    assert sorted(row["revision"] for row in told if row["id"] == items[0].id) == [1, 2]
    assert {row["id"]: row["expect"] for row in told}[items[1].id] == "dead"
    assert {row["channel"] for row in told} == {"企业服务中心"}


def test_what_cannot_be_read_has_no_content(tmp_path: Path, items: list[Item], record: Record) -> None:
    exchange(tmp_path, items, record).turn()
    empty = ask(tmp_path, "SELECT SourceID FROM QiyeSuqiu WHERE Summary IS NULL")
    assert empty == [(items[1].id,)]
