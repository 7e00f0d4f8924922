"""
The texts and times that models are made of, each with its limit.

Text is cleaned at the model's edge: NUL and lone surrogates (which PostgreSQL refuses) become U+FFFD.
All times are aware UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints, model_validator

REPLACEMENT = "\ufffd"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NUL = b"\\u0000"
"""As JSON says it; a text that holds these six characters itself is cleaned for nothing."""


def clean(text: Any) -> Any:
    """Replace what no database stores: NUL and lone surrogates. Leaves everything else alone."""
    if not isinstance(text, str):
        return text
    try:
        text.encode()  # several times as fast as looking for surrogates
    except UnicodeEncodeError:
        return _UNSTORABLE.sub(REPLACEMENT, text)
    return text.replace("\0", REPLACEMENT) if "\0" in text else text


def clean_all(value: Any) -> Any:
    """The same for every text inside lists, objects and models, keys too."""
    if isinstance(value, Mapping):
        return {clean(key): clean_all(item) for key, item in value.items()}
    if isinstance(value, BaseModel):
        return value.model_copy(update=clean_all(value.__dict__))
    if isinstance(value, tuple):
        return tuple(map(clean_all, value))
    if isinstance(value, Collection) and not isinstance(value, _WHOLE):
        return list(map(clean_all, value))
    return clean(value)


def _is_storable(given: Mapping[str, Any]) -> bool:
    """One pass over everything, in C, instead of a look at each text: many times as fast."""
    try:
        return _NUL not in orjson.dumps(given, default=_inside)
    except TypeError:  # a lone surrogate, or something that JSON does not know
        return False


def _inside(value: Any) -> Any:
    """What may hold texts, as JSON knows it."""
    if isinstance(value, BaseModel):
        return value.__dict__
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Collection) and not isinstance(value, _WHOLE) else None


_WHOLE = (str, bytes, bytearray, memoryview)
"""Collections that are one value."""


def _to_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An aware time, kept as UTC. A naive one is an error here; mappings make it aware before."""


def limits(most: int, least: int = 0) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=most)


Word = Annotated[str, limits(64)]
Name = Annotated[str, limits(200)]
Line = Annotated[str, limits(500)]
Body = Annotated[str, limits(50_000)]
SourceId = Annotated[str, limits(200, least=1)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-zA-Z][0-9a-zA-Z._-]{0,63}$")]
"""The id of a source, unit, destination or rule: safe in queue names, routing keys, labels and paths."""
Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
"""A UUIDv7 in its usual spelling."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Part(BaseModel):
    """A piece of something larger. Nothing is changed after it was made; unknown fields are refused.

    The whole that it becomes part of cleans its texts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")
    _left_out: ClassVar[dict[str, Any]] = {}
    """What the fields hold that nobody gives, in their order."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        fields = cls.model_fields.items()
        cls._left_out = {
            name: None if info.is_required() else info.get_default(call_default_factory=True)
            for name, info in fields
        }

    @classmethod
    def made(cls, **given: Any) -> Self:
        """One of values that are right already, as we made them ourselves: nothing is checked, which takes
        a fraction of the time. Never of what came from outside."""
        made = cls.__new__(cls)
        _set_fields(made, cls._left_out | given)
        _set_given(made, set(given))
        _set_extra(made, None)
        _set_private(made, None)
        return made


class Frozen(Part):
    """Something whole: its texts are cleaned, also those of its parts."""

    @model_validator(mode="before")
    @classmethod
    def _cleaned(cls, given: Any) -> Any:
        # A dict, as it mostly is, is known without asking the abstract class, which is slow.
        if (type(given) is dict or isinstance(given, Mapping)) and not _is_storable(given):
            return clean_all(given)
        return given


def _setter(slot: str) -> Callable[[BaseModel, Any], None]:
    """A model that is frozen is filled by way of its slots."""
    setter: Callable[[BaseModel, Any], None] = BaseModel.__dict__[slot].__set__
    return setter


_set_fields, _set_given = _setter("__dict__"), _setter("__pydantic_fields_set__")
_set_extra, _set_private = _setter("__pydantic_extra__"), _setter("__pydantic_private__")
