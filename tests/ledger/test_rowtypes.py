"""Rows made for speed fit the tables that they go to."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Table

from router.ledger import rowtypes
from router.ledger import schema as t

PAIRS: list[tuple[Any, Table]] = [
    (rowtypes.AppealRow, t.appeals),
    (rowtypes.EnvelopeRow, t.envelopes),
    (rowtypes.RevisionRow, t.revisions),
    (rowtypes.TaskRow, t.tasks),
    (rowtypes.DeliveryRow, t.deliveries),
    (rowtypes.HistoryRow, t.history),
]


@pytest.mark.parametrize(("row", "table"), PAIRS, ids=[table.name for _, table in PAIRS])
def test_a_row_has_only_columns_and_all_that_may_not_be_empty(row: Any, table: Table) -> None:
    needed = {c.name for c in table.columns if not c.nullable and c.autoincrement is not True}
    assert needed <= set(row._fields) <= set(table.columns.keys())


def test_the_columns_that_describe_an_appeal_stand_together_in_its_row() -> None:
    described = rowtypes.Described._fields
    first = rowtypes.AppealRow._fields.index(described[0])
    assert rowtypes.AppealRow._fields[first : first + len(described)] == described
