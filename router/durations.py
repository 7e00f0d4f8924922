"""
Lengths of time as configuration writes them: `30s`, `5m`, `2h`, `1d`, `1h30m`, or ISO 8601 (`PT30S`).

A bare number is refused: seconds, minutes and milliseconds have been taken for each other too often.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

LONGEST = timedelta(days=3660)

_SPOKEN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,3}))?S)?)?", re.ASCII)
_PATTERN = r"^(?=[P\d])(P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d{1,3})?S)?)?|(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)$"


def parse(written: Any) -> timedelta:
    """Raises ValueError with a sentence for the person who wrote it."""
    if isinstance(written, timedelta):
        return written
    if not isinstance(written, str):
        raise ValueError("write a duration with its unit: 30s, 5m, 2h, 1d")
    found = _SPOKEN.fullmatch(written) or _ISO.fullmatch(written)
    if found is None or len(written) > 40 or not any(found.groups()):
        raise ValueError("not a duration: write 30s, 5m, 2h, 1d or ISO 8601 such as PT30S")
    days, hours, minutes, seconds = (min(int(part or 0), 10**9) for part in found.groups()[:4])
    fraction = int((found.group(5) or "0").ljust(3, "0") if written[0] == "P" else found.group(5) or 0)
    if days > LONGEST.days:
        raise ValueError(f"longer than {spell(LONGEST)}")
    length = timedelta(
        days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=min(fraction, 10**12)
    )
    if length > LONGEST:
        raise ValueError(f"longer than {spell(LONGEST)}")
    return length


def spell(length: timedelta) -> str:
    """The shortest way to write it: `90s` is `1m30s`."""
    rest, parts = round(length.total_seconds() * 1000), []
    for name, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        if rest >= size:
            parts.append(f"{rest // size}{name}")
            rest %= size
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse, json_schema_input_type=str),
    PlainSerializer(spell, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": ["30s", "5m", "2h", "1d"]}),
]
"""A pydantic type. Narrow it: `Annotated[Duration, within("1s", "1h")]`."""


def within(shortest: str, longest: str) -> AfterValidator:
    """Bounds, both included."""
    low, high = parse(shortest), parse(longest)

    def check(length: timedelta) -> timedelta:
        if not low <= length <= high:
            raise ValueError(f"must be between {shortest} and {longest}, not {spell(length)}")
        return length

    return AfterValidator(check)
