"""
The texts and times that models are made of, each with its limit.

Text is cleaned at the model's edge: NUL and lone surrogates (which PostgreSQL refuses) become U+FFFD.
All times are aware UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
)

REPLACEMENT = "\ufffd"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: Any) -> Any:
    """Replace what no database stores: NUL and lone surrogates. Leaves everything else alone."""
    if not isinstance(text, str):
        return text
    try:
        text.encode()  # several times as fast as looking for surrogates
    except UnicodeEncodeError:
        return _UNSTORABLE.sub(REPLACEMENT, text)
    return text.replace("\0", REPLACEMENT) if "\0" in text else text


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An aware time, kept as UTC. A naive one is an error here; mappings make it aware before."""
Clean = BeforeValidator(clean)


def limits(most: int, least: int = 0) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=most)


# Limits first: behind the cleaning function pydantic would check them in Python, ten times slower.
Word = Annotated[str, limits(64), Clean]
Name = Annotated[str, limits(200), Clean]
Line = Annotated[str, limits(500), Clean]
Body = Annotated[str, limits(50_000), Clean]
SourceId = Annotated[str, limits(200, least=1), Clean]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-zA-Z][0-9a-zA-Z._-]{0,63}$")]
"""The id of a source, unit, destination or rule: safe in queue names, routing keys, labels and paths."""
Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
"""A UUIDv7 in its usual spelling."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Frozen(BaseModel):
    """Nothing is changed after it was made; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")
