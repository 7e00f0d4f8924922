"""What people look up, and that a long ledger does not make them wait."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from router.ledger.views import Filter
from router.message import Batch
from tests.hub import Hub


def test_an_item_is_found_by_its_number_whichever_source_sent_it(hub: Hub) -> None:
    hub.accept(hub.item("77"), hub.item("78"))
    other = hub.item("77").model_copy(update={"source": "crm"})
    hub.intake.accept(Batch(source="crm", envelopes=(other,)))
    found = hub.views.appeals(Filter(source_id="77"))
    assert sorted(row["source"] for row in found) == sorted(["crm", hub.item("77").source])
    assert [row["source"] for row in hub.views.appeals(Filter(source_id="77", source="crm"))] == ["crm"]
    assert hub.views.appeals(Filter(source_id="79")) == []


def test_an_empty_ledger_knows_no_number(hub: Hub) -> None:
    assert hub.views.appeals(Filter(source_id="77")) == []


@pytest.mark.parametrize(
    "wanted",
    [Filter(), Filter(source="app"), Filter(state="closed"), Filter(source_id="77")],
    ids=["all", "source", "state", "number"],
)
def test_a_list_of_appeals_neither_walks_the_ledger_nor_sorts_it(tmp_path: Path, wanted: Filter) -> None:
    """On SQLite; PostgreSQL's planner goes by statistics and walks three rows, rightly."""
    hub = Hub(f"sqlite:///{tmp_path / 'suqiu.db'}", tmp_path)
    hub.accept(*hub.items(3))
    seen: list[tuple[str, Any]] = []
    engine = hub.database._reader
    event.listen(engine, "before_cursor_execute", lambda c, cu, sql, values, *_: seen.append((sql, values)))
    hub.views.appeals(wanted)
    statement, values = seen[-1]
    with engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    if wanted == Filter():
        assert plan[0].startswith("SCAN appeals USING INDEX sqlite_autoindex_appeals_1"), plan
    else:
        assert plan[0].startswith("SEARCH appeals USING INDEX"), plan
    if wanted.source_id is None:
        assert not any("TEMP B-TREE" in step for step in plan), plan
    hub.close()
