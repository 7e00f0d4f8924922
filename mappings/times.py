"""
Times as sources write them, as aware UTC; and back, for receivers that want local time.

No source of this city writes a zone, so a naive time is Asia/Shanghai (with the summer time of
1986-1991, as zoneinfo knows it). An epoch or an Excel serial is read only where a mapping says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from mappings.plain import narrow, text_of
from mappings.registry import Unreadable
from router.timeforms import by_format, in_utc

SHANGHAI = ZoneInfo("Asia/Shanghai")
WORDS = ("iso", "epoch_s", "epoch_ms", "excel_serial")
MAX_TEXT = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCHS = {"epoch_s": timedelta(seconds=1), "epoch_ms": timedelta(milliseconds=1)}
_EARLIEST, _LATEST = 1900, 2200
_EXCEL_ZERO = datetime(1899, 12, 30)
_EXCEL_FIRST = 61  # before 1 March 1900 Excel counts a leap day that never was


def read(value: Any, formats: Sequence[str]) -> datetime:
    """The moment, by the first format that fits. Raises Unreadable."""
    is_plain = type(value) is str and len(value) <= MAX_TEXT and value.isascii()  # nearly always
    text = (value if is_plain else narrow(text_of(value))).strip()
    if len(text) > MAX_TEXT:
        raise Unreadable(f"a time of {len(text)} characters")
    for written in formats:
        try:
            moment = _READERS.get(written, by_format)(text, written)
        except (ValueError, OverflowError):
            continue
        if moment is not None and _EARLIEST <= moment.year <= _LATEST:
            return moment.astimezone(UTC) if moment.tzinfo else in_utc(moment, SHANGHAI)
    raise Unreadable("no time in any of the formats given")


def write(value: Any, form: str) -> str | int:
    """A canonical moment (or its JSON form) as a receiver wants it, in Shanghai time."""
    moment = value if isinstance(value, datetime) else read(value, ("iso",))
    if form in _EPOCHS:
        return (moment - _EPOCH) // _EPOCHS[form]
    local = moment.astimezone(SHANGHAI)
    return local.isoformat() if form == "iso" else local.strftime(form)


def problem_writing(form: str) -> str | None:
    """What is wrong with a format for `write`, found at load; None when it can be used."""
    if form in ("iso", *_EPOCHS) or "%" in form:
        return None
    return f'"{form}" is neither a strftime format nor one of iso, {", ".join(_EPOCHS)}'


def problem_reading(form: str) -> str | None:
    """What is wrong with a format for `read`, found at load; None when it can be used."""
    if form in WORDS:
        return None
    if "%" not in form:
        return f'"{form}" is neither a strptime format nor one of {", ".join(WORDS)}'
    try:
        datetime.strptime("", form)
    except ValueError as error:
        if "does not match" not in str(error):
            return str(error)
    except Exception as error:  # strptime builds a regular expression from it
        return f'"{form}" is not a strptime format ({type(error).__name__})'
    if "%Y" not in form and "%y" not in form:
        return f'"{form}" has no year (%Y)'
    return None


def _checked(problem_with: Callable[[str], str | None]) -> AfterValidator:
    def check(form: str) -> str:
        if problem := problem_with(form):
            raise ValueError(problem)
        return form

    return AfterValidator(check)


Reading = Annotated[str, Field(min_length=1, max_length=100), _checked(problem_reading)]
Writing = Annotated[str, Field(min_length=1, max_length=100), _checked(problem_writing)]


def _iso(text: str, _: str) -> datetime:
    return datetime.fromisoformat(text)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= MAX_TEXT else None


# Shorter than these is before 1973, and more likely a date such as 20230403.
def _since_1970(text: str, shortest: int, longest: int, unit: timedelta) -> datetime | None:
    number = _number(text)
    if number is None or number < 0 or not shortest <= number.adjusted() + 1 <= longest:
        return None
    return _EPOCH + int(number) * unit


def _epoch_s(text: str, _: str) -> datetime | None:
    return _since_1970(text, 9, 10, timedelta(seconds=1))


def _epoch_ms(text: str, _: str) -> datetime | None:
    return _since_1970(text, 12, 13, timedelta(milliseconds=1))


def _excel_serial(text: str, _: str) -> datetime | None:
    """Days since 1900 with the time as a fraction; Excel's fractions are off by parts of a second."""
    number = _number(text)
    if number is None or not _EXCEL_FIRST <= number < 110_000:
        return None
    return _EXCEL_ZERO + timedelta(seconds=int((number * 86_400).to_integral_value()))


_READERS: dict[str, Callable[[str, str], datetime | None]] = {
    "iso": _iso,
    "epoch_s": _epoch_s,
    "epoch_ms": _epoch_ms,
    "excel_serial": _excel_serial,
}
