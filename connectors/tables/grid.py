"""A sheet as plain cells, and how it travels from the child process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

Cell = str | int | float | bool | datetime | date | None


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells by row and column, both from 0; what a merged range shows stands in its first cell."""

    name: str
    rows: Sequence[Sequence[Cell]]
    merges: Sequence[tuple[int, int, int, int]] = field(default=())
    """(first row, first column, last row, last column), all within."""


def to_plain(grid: Grid) -> dict[str, Any]:
    """For JSON; times are marked, since only their cell knows that they are times."""
    return {
        "name": grid.name,
        "rows": [[_plain(cell) for cell in row] for row in grid.rows],
        "merges": [list(merge) for merge in grid.merges],
    }


def from_plain(plain: dict[str, Any]) -> Grid:
    rows = [[_cell(cell) for cell in row] for row in plain["rows"]]
    return Grid(plain["name"], rows, [tuple(merge) for merge in plain["merges"]])


def _plain(cell: Any) -> Any:
    if isinstance(cell, (datetime, date)):
        return {"at": cell.isoformat()}
    if cell is None or isinstance(cell, (str, bool, int, float)):
        return cell
    return cell.isoformat() if isinstance(cell, time) else str(cell)


def _cell(plain: Any) -> Cell:
    if isinstance(plain, dict):
        return datetime.fromisoformat(plain["at"])
    found: Cell = plain
    return found
