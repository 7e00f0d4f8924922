"""
Rows become envelopes, and the rows of one unit and quarter a set (R8).

A row is known by firm, time and its number among the rows with both, never by its content: a
corrected cell is a revision of the same row. Where it stood (file, sheet, line, 序号) is neither in its
id nor in its body, so that a row put in above changes no other.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from connectors.mail.periods import period_of
from connectors.tables.reading import Row, TableFile
from router import jsontext
from router.masking import mask_text
from router.message import Envelope

MOST_ROWS = 10_000
"""Of one set: a batch takes no more."""
ORDINAL = "ordinal"


class Place(NamedTuple):
    """A row, and the file it stands in."""

    file: TableFile
    row: Row


class Told(NamedTuple):
    """What belongs to all that is in a mail."""

    source: str
    unit: str
    """Empty when it is not known whose mail it is."""
    digest: str
    """Names the mail: the same however often, and by which ways, it is delivered."""
    subject: str
    arrived_at: datetime
    """At our own server: the sender's clock may say anything."""
    received_at: datetime


@dataclass(frozen=True, slots=True)
class TableSet:
    """All that one mail says about one quarter."""

    unit: str
    period: str
    places: Mapping[str, Place]
    """Source id → where it stands, in the order of the files."""
    envelopes: tuple[Envelope, ...]
    files: tuple[str, ...]
    """Names of the tables it comes from."""


def sets_of(files: Sequence[TableFile], told: Told) -> list[TableSet]:
    """The rows of these files by quarter. A nil report is a set without rows."""
    periods: dict[str, list[Place]] = {}
    names: dict[str, dict[str, None]] = {}
    for file in files:
        for sheet, rows in _by_sheet(file):
            period = _period(file, sheet, rows, told)
            periods.setdefault(period, []).extend(Place(file, row) for row in rows)
            names.setdefault(period, {})[file.name] = None
    return [_table_set(period, places, tuple(names[period]), told) for period, places in periods.items()]


def _by_sheet(file: TableFile) -> Iterable[tuple[str, list[Row]]]:
    sheets: dict[str, list[Row]] = {}
    for row in file.rows:
        sheets.setdefault(row.sheet, []).append(row)
    return sheets.items() if sheets else [("", [])]


def _period(file: TableFile, sheet: str, rows: Sequence[Row], told: Told) -> str:
    said = ["；".join(file.titles), sheet, file.name, told.subject]
    times = [moment for moment in map(_moment, rows) if moment is not None]
    return period_of(said, times, told.arrived_at)


def _moment(row: Row) -> datetime | None:
    try:
        moment = datetime.fromisoformat(row.values.get("time", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo and not row.problem else None


def _table_set(period: str, places: Sequence[Place], files: tuple[str, ...], told: Told) -> TableSet:
    counted: Counter[str] = Counter()
    known: dict[str, Place] = {}
    envelopes = []
    for place in places:
        name = f"{told.unit}/{period}/{_identity(place.row)}"
        counted[name] += 1
        source_id = f"{name}-{counted[name]}"
        known[source_id] = place
        envelopes.append(_envelope(source_id, period, place, told))
    return TableSet(told.unit, period, known, tuple(envelopes), files)


def _identity(row: Row) -> str:
    if row.problem:
        return f"bad-{_digest(jsontext.dumps(_values(row)).decode())}"
    return _digest(f"{_firm(row.values.get('enterprise', ''))}\n{row.values.get('time', '')}")


def _firm(name: str) -> str:
    """Without what people write now so, now so: blanks, wide brackets, capitals."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _values(row: Row) -> dict[str, str]:
    return {name: row.values[name] for name in sorted(row.values) if name != ORDINAL}


def _envelope(source_id: str, period: str, place: Place, told: Told) -> Envelope:
    row = place.row
    problem = f"{where(place)}：{mask_text(row.problem, 300)}"[:500] if row.problem else None
    return Envelope(
        source=told.source,
        source_id=source_id,
        body=jsontext.dumps({"period": period, "row": _values(row), "unit": told.unit}),
        updated_at=told.arrived_at,
        received_at=told.received_at,
        notes=(where(place),),
        problem=problem,
    )


def where(place: Place) -> str:
    """For people: file, sheet and line, without what a name may hold of persons."""
    sheet = f"，工作表“{mask_text(place.row.sheet, 40)}”" if place.row.sheet else ""
    return f"文件“{mask_text(place.file.name, 100)}”{sheet}，第 {place.row.number} 行"
