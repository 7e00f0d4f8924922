"""
Which quarter a table is about, from what its title, sheets, file name and subject say (R9).

Clerks write 2026年第三季度, 2026年3季度, 三季度, 2026Q3, 2026年7-9月, 七月至九月. A text that names several
quarters, or one still to come, says nothing; then the next text is asked, then the rows' own times.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from router.decisions.quarters import Quarter

EARLIEST = 2000
_LONGEST = 500

_NUMERALS = {sign: number for number, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "0": 0}
_MONTHS = {"十": 10, "十一": 11, "十二": 12}
_SPOKEN_YEAR = re.compile("[二][〇零○0][〇一二三四五六七八九零○]{2}(?=年)")
_YEAR = r"(?:(?<!\d)(20\d{2}|\d{2}(?=年))[年./\-]?度?)"
_QUARTER = r"第?([1-4一二三四])季"
_MONTH = r"(1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
_DAY = r"(?:[./\-]?\d{1,2}日?)?"
_TO = r"[\-—–−~～至到]+"
_OF_YEAR = re.compile(_YEAR + _QUARTER)
# Not the third of 前三季度, and not the last of 1-3季度.
_ALONE = re.compile(rf"(?<![\d前头上\-—–~至到年度、,和及与]){_QUARTER}|(?<!\d\d\d\d)(?<=[年度]){_QUARTER}")
_LETTER = re.compile(r"(?<!\d)(20\d{2})[\-_/.年]?[Qq]([1-4])(?!\d)")
_LETTER_FIRST = re.compile(r"(?<![A-Za-z\d])[Qq]([1-4])[\-_/.]?(20\d{2})(?!\d)")
_LETTER_ALONE = re.compile(r"(?<![A-Za-z\d])[Qq]([1-4])(?![A-Za-z\d])")
_RANGE = re.compile(rf"{_YEAR}?(?<!\d){_MONTH}(?:月份?)?{_DAY}{_TO}(?:(20\d{{2}})[年./\-])?{_MONTH}月")
_ANY_YEAR = re.compile(r"(?<!\d)(20\d{2})(?=年|度|\D|$)")

Named = tuple[int | None, int]
"""Year, if it was said, and number."""


def period_of(said: Sequence[str], times: Sequence[datetime], arrived: datetime) -> str:
    """Such as `2026Q3`. `said`: texts that may name it, the weightiest first; `times`: those of the rows."""
    counted = Counter(map(Quarter.of, times)).most_common()
    usual = max((quarter for quarter, count in counted if count == counted[0][1]), key=_order, default=None)
    years = {int(year) for text in said for year in _ANY_YEAR.findall(_plain(text))}
    for text in said:
        named = {_whole(name, years, usual, arrived) for name in named_in(text)}
        possible = {quarter for quarter in named if quarter and _has_begun(quarter, arrived)}
        if len(possible) == 1:
            return possible.pop().name
    return (usual if usual and _has_begun(usual, arrived) else Quarter.of(arrived).before).name


def named_in(text: str) -> set[Named]:
    """The quarters that a text names."""
    text = _plain(text)
    found: set[Named] = {(int(year) % 2000 + 2000, _number(sign)) for year, sign in _OF_YEAR.findall(text)}
    found |= {(int(year), int(sign)) for year, sign in _LETTER.findall(text)}
    found |= {(int(year), int(sign)) for sign, year in _LETTER_FIRST.findall(text)}
    found |= set(_ranges(text))
    if not found:
        found |= {(None, _number(one or other)) for one, other in _ALONE.findall(text)}
        found |= {(None, int(sign)) for sign in _LETTER_ALONE.findall(text)}
    return found


def _ranges(text: str) -> Iterable[Named]:
    for year, first, last_year, last in _RANGE.findall(text):
        begin, end = _month(first), _month(last)
        if begin % 3 == 1 and end == begin + 2 and last_year in ("", year):
            yield (int(year) % 2000 + 2000 if year else None, (begin + 2) // 3)


def _whole(name: Named, years: set[int], usual: Quarter | None, arrived: datetime) -> Quarter | None:
    """With the year that stands elsewhere, or that the rows are from, or the last one possible."""
    year, number = name
    if year is not None:
        return Quarter(year, number)
    if len(years) == 1:
        return Quarter(min(years), number)
    if usual is not None:
        return Quarter(usual.year, number)
    latest = Quarter.of(arrived)
    return Quarter(latest.year - (number > latest.number), number)


def _has_begun(quarter: Quarter, arrived: datetime) -> bool:
    return quarter.year >= EARLIEST and _order(quarter) <= _order(Quarter.of(arrived))


def _order(quarter: Quarter) -> tuple[int, int]:
    return quarter.year, quarter.number


def _plain(text: str) -> str:
    """Narrow digits, no blanks, years in digits."""
    text = "".join(unicodedata.normalize("NFKC", text[:_LONGEST]).split())
    return _SPOKEN_YEAR.sub(lambda found: "".join(str(_NUMERALS[sign]) for sign in found[0]), text)


def _number(sign: str) -> int:
    return int(sign) if sign.isdecimal() else _NUMERALS[sign]


def _month(sign: str) -> int:
    return int(sign) if sign.isdecimal() else _MONTHS.get(sign) or _NUMERALS[sign]
