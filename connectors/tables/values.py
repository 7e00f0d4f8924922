"""Cells as the text that their writer meant, and times in every form that clerks use."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.tables.grid import Cell

SHANGHAI = ZoneInfo("Asia/Shanghai")
_EXCEL_DAY_ZERO = datetime(1899, 12, 30)
_FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y年%m月%d日%H时%M分", "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M", "%Y年%m月%d日", "%Y年%m月%d号", "%Y年%m月", "%m/%d/%Y", "%Y%m%d",
)  # fmt: skip
_SEPARATORS = re.compile(r"(?<=\d)[/.](?=\d)")
_MONTH_FIRST = re.compile(r"^\d{1,2}/\d{1,2}/\d{4}$")
_EARLIEST, _LATEST = 2000, 2100


def text_of(cell: Cell) -> str:
    """As text; `13800000001.0` and `1.38E10` are the number they stand for."""
    if cell is None or isinstance(cell, bool):
        return "" if cell is None else ("是" if cell else "否")
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e18 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()


def time_of(cell: Cell) -> str | None:
    """ISO with Shanghai's zone; None when it is no time that anybody would have meant."""
    found = _moment(cell)
    if found is None or not _EARLIEST <= found.year < _LATEST:
        return None
    return found.replace(microsecond=0).isoformat()


def _moment(cell: Cell) -> datetime | None:
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=SHANGHAI) if cell.tzinfo is None else cell.astimezone(SHANGHAI)
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return _number(float(cell))
    return _written(text_of(cell))


def _number(value: float) -> datetime | None:
    """Excel counts days, Unix seconds or milliseconds; the three never meet."""
    if 20_000 <= value < 80_000:
        return (_EXCEL_DAY_ZERO + timedelta(seconds=round(value * 86_400))).replace(tzinfo=SHANGHAI)
    if 20_000_101 <= value < 21_000_101 and value.is_integer():
        return _written(str(int(value)))
    if 9e8 <= value < 5e9:
        return datetime.fromtimestamp(value, UTC).astimezone(SHANGHAI)
    if 9e11 <= value < 5e12:
        return datetime.fromtimestamp(value / 1000, UTC).astimezone(SHANGHAI)
    return None


def _written(text: str) -> datetime | None:
    text = unicodedata.normalize("NFKC", text).strip()
    if re.fullmatch(r"\d{4,13}(\.\d+)?", text) and len(text.split(".")[0]) != 8:
        return _number(float(text))
    plain = text if _MONTH_FIRST.match(text) else _SEPARATORS.sub("-", text)
    plain = plain.replace("T", " ")
    for form in _FORMS:
        try:
            return datetime.strptime(plain, form).replace(tzinfo=SHANGHAI)
        except ValueError:
            continue
    return None
