"""Quarters, and where a unit stands with its table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from router.decisions.quarters import LOCAL, Quarter, standing

IN_TIME = timedelta(days=15)
Q3 = Quarter(2026, 3)
DUE = Q3.due(IN_TIME)


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        (datetime(2026, 1, 1, tzinfo=LOCAL), "2026Q1"),
        (datetime(2026, 3, 31, 23, 59, tzinfo=LOCAL), "2026Q1"),
        (datetime(2026, 3, 31, 16, 0, tzinfo=UTC), "2026Q2"),
        (datetime(2026, 12, 31, tzinfo=LOCAL), "2026Q4"),
    ],
)
def test_a_day_lies_in_its_quarter_by_local_time(moment: datetime, name: str) -> None:
    assert Quarter.of(moment).name == name


def test_quarters_follow_one_another() -> None:
    assert Quarter(2026, 1).before == Quarter(2025, 4)
    assert Quarter(2026, 4).end == datetime(2027, 1, 1, tzinfo=LOCAL)
    assert datetime(2026, 10, 16, tzinfo=LOCAL) == DUE


@pytest.mark.parametrize("name", ["2026", "2026Q5", "Q3", "2026q3", ""])
def test_what_is_no_quarter_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="2026Q3"):
        Quarter.named(name)


@pytest.mark.parametrize(
    ("first", "rows", "days", "expected"),
    [
        (None, 0, -1, "awaited"),
        (None, 0, 0, "missing"),
        (DUE - timedelta(days=1), 7, 5, "received"),
        (DUE - timedelta(days=1), 0, 5, "nil"),
        (DUE, 7, 5, "late"),
    ],
)
def test_where_a_unit_stands(first: datetime | None, rows: int, days: int, expected: str) -> None:
    assert standing(first, rows, due=DUE, now=DUE + timedelta(days=days)) == expected
