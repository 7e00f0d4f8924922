"""The bench's own arithmetic: a floor that is missed is told, and what is multiplied still fits together."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from bench import bar
from bench.measures.filling import TABLES, multiply
from bench.race import Run, cpu_us_per_item, items_per_s, ratio
from bench.work import PAGE, UNITS, item, source
from router.ledger import schema as t
from tests.hub import Hub


def run(name: str, items_per_s: float) -> Run:
    return Run(name, 1000, 1000 / items_per_s, 0.5)


ROUNDS = [
    {
        "hub": run("hub", 2000),
        "hub_2": run("hub_2", 3000),
        "peer": run("peer", 1000),
        "limit": run("limit", 9000),
    },
    {
        "hub": run("hub", 900),
        "hub_2": run("hub_2", 300),
        "peer": run("peer", 300),
        "limit": run("limit", 4000),
    },
    {
        "hub": run("hub", 1000),
        "hub_2": run("hub_2", 800),
        "peer": run("peer", 500),
        "limit": run("limit", 5000),
    },
]


def test_a_ratio_is_made_within_its_round_of_the_best_hub_there() -> None:
    assert ratio(ROUNDS, ["hub", "hub_2"], "peer") == pytest.approx(3.0)
    assert ratio(ROUNDS, ["hub"], "limit") == pytest.approx(0.222, abs=0.001)


def test_figures_are_medians_and_the_limit_has_no_cpu_of_its_own() -> None:
    assert items_per_s(ROUNDS)["hub"] == pytest.approx(1000)
    assert cpu_us_per_item(ROUNDS) == {"hub": 500, "hub_2": 500, "peer": 500}


def test_every_floor_that_is_missed_is_told() -> None:
    good = dict(bar.AT_LEAST)
    fine = dict(bar.AT_MOST)
    assert bar.below(good, fine) == []
    for name in good:
        assert [line.split(":")[0] for line in bar.below({**good, name: good[name] * 0.99}, fine)] == [name]
    for name in fine:
        assert [line.split(":")[0] for line in bar.below(good, {**fine, name: fine[name] * 1.01})] == [name]


def test_the_source_hands_out_each_item_once_and_says_when_it_was_asked_first() -> None:
    import httpx

    with source(PAGE + 10, first=600) as at:
        pages = [httpx.get(at.url, params={"page": page}).json()["data"] for page in (1, 2, 3)]
        assert at.began() > 0
    assert [len(page["list"]) for page in pages] == [PAGE, 10, 0]
    assert [one["no"] for page in pages for one in page["list"]] == [
        item(n)["no"] for n in range(600, 610 + PAGE)
    ]
    assert pages[0]["list"][7]["unit"] == UNITS[7]


def test_a_multiplied_ledger_is_as_large_as_asked_and_every_row_belongs_to_an_appeal(tmp_path: Path) -> None:
    hub = Hub(f"sqlite:///{tmp_path / 'suqiu.db'}", tmp_path)
    hub.accept(*hub.items(50))
    for wanted in (500, 1200):
        assert multiply(tmp_path / "suqiu.db", 50, wanted) == wanted
    with hub.database.read() as connection:
        for table in TABLES:
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 1200, table.name
        known = select(t.appeals.c.appeal_id)
        for table in TABLES[1:]:
            strays = select(func.count()).select_from(table).where(table.c.appeal_id.not_in(known))
            assert connection.execute(strays).scalar() == 0, table.name
    assert hub.outcomes(hub.item("afterwards")) == ["new"]
    hub.close()
