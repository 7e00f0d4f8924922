"""
A row becomes an envelope: canonical JSON by column name, the id from its columns, the change time.

The same row gives the same bytes at every reading; by that the ledger recognises it. No number passes
through a float that was not one in the table.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any, NamedTuple
from uuid import UUID

from connectors.selecting import id_text
from router import jsontext
from router.message import Envelope

LONGEST_ID = 200
_WRITTEN_AS_TEXT = (
    *(UUID, IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network),
)


class NotWritable(ValueError):
    """A value for which JSON has no word and we know no text."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, with what is needed to find it again and to tell whether it has changed."""

    key: tuple[Any, ...]
    """The values it is ordered by, as the driver gave them; empty for a row that has no place."""
    ids: tuple[Any, ...]
    state: Any
    stamp: Any
    """The change time as the driver gave it; None when no column is configured."""
    body: bytes
    problem: str | None = None

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.body).digest()


class Handed(NamedTuple):
    """What marking needs of a row that was handed out."""

    ids: tuple[Any, ...]
    state: Any
    stamp: Any


def write_row(values: Mapping[str, Any], zone: tzinfo | None, most: int) -> tuple[bytes, str | None]:
    """The row as JSON with sorted keys, and what is wrong with it; what cannot be written is left out."""
    written, problem = {}, None
    for column in sorted(values):
        try:
            written[column] = plain(values[column], zone)
        except NotWritable as error:
            problem = f"column {column}: {error}"
    body = jsontext.dumps(written)
    if len(body) > most:
        problem = f"a row of {len(body)} bytes, and max_bytes is {most}; this is its beginning"
    return body[:most], problem


def plain(value: Any, zone: tzinfo | None) -> Any:
    """A driver's value in JSON's words. Times without a zone get `zone`, where one is configured."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (float, Decimal)):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, (list, tuple)):
        return [plain(part, zone) for part in value]
    if isinstance(value, dict):
        return {str(name): plain(value[name], zone) for name in sorted(value, key=str)}
    return _text(value, zone)


def _text(value: Any, zone: tzinfo | None) -> str:
    if isinstance(value, datetime):
        if value.tzinfo:
            return value.astimezone(UTC).isoformat()
        return (value.replace(tzinfo=zone) if zone else value).isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _length(value)
    if isinstance(value, _WRITTEN_AS_TEXT):
        return str(value)
    raise NotWritable(f"a value of type {type(value).__name__} has no text")


def _length(length: timedelta) -> str:
    """`-12:30:00`, `838:59:59.5`: MySQL keeps times of day that way, PostgreSQL intervals."""
    sign, length = ("-", -length) if length < timedelta() else ("", length)
    seconds, rest = divmod(length, timedelta(seconds=1))
    fraction = f".{rest // timedelta(microseconds=1):06}".rstrip("0") if rest else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def source_id(ids: Sequence[Any]) -> str | None:
    """Its columns joined by a slash, which is escaped inside them. None when one of them has no text."""
    parts = [_id_part(value) for value in ids]
    if len(parts) == 1:
        return parts[0]
    joined = "/".join((part or "").replace("%", "%25").replace("/", "%2F") for part in parts)
    return joined if all(parts) and len(joined) <= LONGEST_ID else None


def _id_part(value: Any) -> str | None:
    if isinstance(value, (bytes, bytearray, memoryview)):
        value = bytes(value).hex()
    elif isinstance(value, Decimal):
        value = format(value, "f") if value.is_finite() else None
    elif isinstance(value, float):
        value = int(value) if value.is_integer() else repr(value)
    elif isinstance(value, (UUID, date, time)):
        value = str(value)
    return id_text(value, LONGEST_ID)


@dataclass(frozen=True, slots=True)
class Envelopes:
    """Makes the envelopes of one source."""

    source: str
    id_columns: Sequence[str]

    def of(self, row: Row, updated_at: datetime | None, received_at: datetime) -> Envelope:
        """A row without an id goes under the hash of its content, as a dead letter of its own."""
        found, problem = source_id(row.ids), row.problem
        if found is None:
            problem = f"no id in {', '.join(self.id_columns)}: empty, or longer than {LONGEST_ID} characters"
        return Envelope(
            source=self.source,
            source_id=found or f"sha256:{row.digest.hex()}",
            body=row.body,
            updated_at=updated_at,
            received_at=received_at,
            problem=problem[:500] if problem else None,
        )
