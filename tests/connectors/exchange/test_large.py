"""Large tables and large rows: paged by keyset, so that memory stays flat whatever the table holds."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest

from connectors.blocks import MIB
from tests.connectors.contract import fetch_all, ids, taken
from tests.connectors.exchange.tables import STATUS, WATERMARK, Exchange, problems, row

NUMBERS = {
    "postgresql": "select n from generate_series(1, {most}) as g(n)",
    "mysql": "select seq as n from seq_1_to_{most}",
    "sqlite": "with recursive g(n) as (select 1 union all select n + 1 from g where n < {most}) "
    "select n from g",
}
MANY = {"postgresql": 100_000, "mysql": 30_000, "sqlite": 30_000}


def fill_with(exchange: Exchange, most: int) -> None:
    """Ten thousand rows of each time."""
    exchange.do(
        "create table appeals (id int primary key, title varchar(200), take_state int, updated varchar(30))"
    )
    at = "'2026-03-01 08\\:0' || (n / 10000 % 10) || '\\:00'"
    if exchange.dialect == "mysql":
        at = "concat('2026-03-01 08\\:0', n div 10000 % 10, '\\:00')"
    numbers = NUMBERS[exchange.dialect].format(most=most)
    exchange.do(f"insert into appeals select n, '园区路灯不亮，请派人修理', 0, {at} from ({numbers}) as g")
    exchange.do("create index by_time on appeals (updated, id)")


def test_a_large_table_is_read_with_flat_memory(exchange: Exchange) -> None:
    fill_with(exchange, MANY[exchange.dialect])
    source = exchange.source(page=500, watermark=WATERMARK)
    count, sizes = 0, []
    with source.open():
        for batch in source.fetch(None):
            count += len(batch.envelopes)
            if count % 10_000 < 200:
                sizes.append(resident())
    assert count == MANY[exchange.dialect]
    assert max(sizes) - sizes[0] < 16 * MIB, "a hundred thousand kept rows take 60 MiB and more"


def resident() -> int:
    """Bytes of this process in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_many_rows_are_marked_batch_by_batch(exchange: Exchange) -> None:
    fill_with(exchange, 5000)
    source = exchange.source(page=500)
    with source.open():
        for batch in source.fetch(None):
            source.acknowledge(batch, taken(batch))
    assert exchange.all("select take_state, count(*) from appeals group by take_state") == [(1, 5000)]


def test_a_page_of_large_rows_is_cut_short_and_none_is_lost(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.table_exchange_reading.BUDGET", 10_000)
    exchange.create()
    exchange.fill(*(row(number, content="长" * 2000) for number in range(1, 13)))
    batches = fetch_all(exchange.source(page=10, watermark=WATERMARK))
    assert ids(batches) == [f"A{number:04}" for number in range(1, 13)]
    assert max(len(batch.envelopes) for batch in batches) <= 2


@pytest.mark.parametrize("way", [{"status": STATUS}, {"watermark": WATERMARK}], ids=["status", "watermark"])
def test_a_row_that_is_too_large_is_kept_cut_and_its_neighbours_go_on(
    exchange: Exchange, way: dict[str, Any]
) -> None:
    exchange.create()
    exchange.fill(row(1), row(2, content="长" * 2000), row(3))
    batches = fetch_all(exchange.source(max_bytes=4096, **way))
    said = problems(batches)
    assert said["A0001"] is None
    assert said["A0003"] is None
    assert "and max_bytes is 4096; this is its beginning" in str(said["A0002"])
    assert all(len(one.body) <= 4096 for batch in batches for one in batch.envelopes)
