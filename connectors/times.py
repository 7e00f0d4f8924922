"""
A record's own change time, in the ways that sources write it, as aware UTC.

Connectors read nothing else from a record than its id, its time and the cursor; times that
belong to the appeal are the mapping's business. A naive time is Asia/Shanghai unless a zone is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, StringConstraints

from router.timeforms import by_format, in_utc

SHANGHAI = ZoneInfo("Asia/Shanghai")
WORDS = ("iso", "epoch_s", "epoch_ms")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 64
_EARLIEST, _LATEST = 1990, 2200


def _readable(form: str) -> str:
    if form in WORDS:
        return form
    if "%Y" not in form and "%y" not in form:
        raise ValueError(f"must be one of {', '.join(WORDS)}, or a strptime format with a year (%Y)")
    try:
        datetime.strptime("", form)
    except ValueError as error:
        if "does not match" not in str(error):
            raise
    except Exception as error:  # strptime builds a regular expression from it
        raise ValueError("is not a strptime format") from error
    return form


TimeFormat = Annotated[str, StringConstraints(min_length=2, max_length=60), AfterValidator(_readable)]
"""`iso`, `epoch_s`, `epoch_ms`, or a strptime format."""


def read_time(value: object, formats: Sequence[str], zone: tzinfo = SHANGHAI) -> datetime | None:
    """The moment by the first format that fits; None when none does, or nothing is there."""
    text = value.strip() if type(value) is str else _text(value)
    if not text or len(text) > _LONGEST:
        return None
    for form in formats:
        try:
            moment = _READERS.get(form, by_format)(text, form)
        except (ValueError, OverflowError, ArithmeticError):
            continue
        if _EARLIEST <= moment.year <= _LATEST:
            return moment.astimezone(UTC) if moment.tzinfo else in_utc(moment, zone)
    return None


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return ""
    return str(value).strip()


def write_time(moment: datetime, form: str, zone: tzinfo = SHANGHAI) -> str:
    """The same the other way round; by a strptime format in the zone's time."""
    if form in ("epoch_s", "epoch_ms"):
        unit = timedelta(seconds=1) if form == "epoch_s" else timedelta(milliseconds=1)
        return str((moment - _EPOCH) // unit)
    local = moment.astimezone(zone)
    return local.isoformat() if form == "iso" else local.strftime(form)


def _since_1970(text: str, unit: timedelta, digits: Sequence[int]) -> datetime:
    """Of other lengths it would be another unit, or a date such as 20230403."""
    if not text.isascii() or not text.isdecimal() or len(text) not in digits:
        raise ValueError("not an epoch")
    return _EPOCH + int(text) * unit


_READERS: dict[str, Callable[[str, str], datetime]] = {
    "iso": lambda text, _: datetime.fromisoformat(text),
    "epoch_s": lambda text, _: _since_1970(text, timedelta(seconds=1), (9, 10)),
    "epoch_ms": lambda text, _: _since_1970(text, timedelta(milliseconds=1), (12, 13)),
}
