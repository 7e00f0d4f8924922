"""A table as it was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Row(NamedTuple):
    """One row of the table, as it was written."""

    sheet: str
    number: int
    """As the sender sees it in the sheet, from 1."""
    values: Mapping[str, str]
    """All of COLUMNS; empty where nothing stands. `time` is ISO with zone where it was understood."""
    problem: str = ""
    """Why it cannot be taken, for the sender; quotes nothing personal."""


class TableFile(NamedTuple):
    """One file, or one file of an archive."""

    name: str
    rows: tuple[Row, ...] = ()
    titles: tuple[str, ...] = ()
    """Texts above the header, and the sheets' names: a quarter may be read off them."""
    is_nil: bool = False
    """A table that says there was nothing to report."""
    problem: str = ""
    """Why the whole file cannot be read, and what its sender should do."""
