"""
JSON as it comes from outside and goes out again, with nothing bent on the way.

Numbers with a fraction become Decimal, whole numbers stay int of any length (23-digit ids exist),
NaN and Infinity are refused, a key that stands twice is refused, depth and length are limited.
A float is never made.

The fast libraries do all they can do exactly. What they refuse goes to simplejson: it keeps lone
surrogates and whole numbers beyond 64 bits, and its words say what is wrong with a text.
"""

from __future__ import annotations

import codecs
from decimal import Decimal
from typing import Any

import jiter
import orjson
import simplejson

from router.errors import MalformedEnvelope

MAX_DEPTH = 64
"""Deeper nesting than any real payload; keeps parsers and mappings off the recursion limit."""


def loads(raw: bytes | str) -> Any:
    """Read JSON strictly; `MalformedEnvelope` says what is wrong without quoting the text."""
    if isinstance(raw, Written):
        return raw.value
    encoded = (
        raw.removeprefix(codecs.BOM_UTF8) if isinstance(raw, bytes) else raw.encode(errors="surrogatepass")
    )
    try:
        value = jiter.from_json(
            encoded, allow_inf_nan=False, cache_mode="keys", catch_duplicate_keys=True, float_mode="decimal"
        )
    except ValueError:
        value = _read_exactly(encoded if isinstance(raw, bytes) else raw)
    _limit_depth(value)
    return value


class Written(bytes):
    """JSON that we wrote ourselves, with what it was written from: reading it again costs nothing.

    Only as long as the process holds it; what comes out of the ledger is plain bytes. Nobody changes
    the value.
    """

    value: Any


def written(value: Any) -> Written:
    """`dumps` for what is soon read again."""
    made = Written(dumps(value))
    made.value = value
    return made


def dumps(value: Any) -> bytes:
    """Write compact UTF-8; lone surrogates stay escaped, so that what was received can be kept.

    A float that is no number would become null: whoever takes floats in refuses those first.
    """
    try:
        return orjson.dumps(value, default=_digits, option=_AS_SIMPLEJSON)
    except TypeError:
        return _written_exactly(value)


def canonical(value: Any) -> bytes:
    """One text for equal values, for hashes only: keys sorted; a Decimal or a time as its text."""
    try:
        return orjson.dumps(value, default=str, option=_AS_SIMPLEJSON | orjson.OPT_SORT_KEYS)
    except TypeError:
        text: str = _CANONICAL.encode(value)
        return text.encode()


def _digits(value: Any) -> orjson.Fragment:
    if type(value) is Decimal and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError  # simplejson says what is wrong with it


def _read_exactly(raw: bytes | str) -> Any:
    try:
        return _DECODER.decode(raw.decode() if isinstance(raw, bytes) else raw)
    except UnicodeDecodeError as error:
        raise MalformedEnvelope(f"not UTF-8 at byte {error.start}") from error
    except simplejson.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise MalformedEnvelope(f"not JSON: {error.msg} at {where}") from error
    except RecursionError as error:
        raise MalformedEnvelope(f"JSON nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:  # e.g. an integer of more than 4,300 digits
        raise MalformedEnvelope(f"not JSON: {type(error).__name__}") from error


def _written_exactly(value: Any) -> bytes:
    try:
        text: str = _PLAIN.encode(value)
        return text.encode()
    except UnicodeEncodeError:
        text = _ESCAPED.encode(value)
        return text.encode()


def _refuse_constant(name: str) -> None:
    raise MalformedEnvelope(f"not JSON: {name} is not a number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedEnvelope("an object has the same key twice")
    return found


def _limit_depth(value: Any) -> None:
    """Level by level; a value that was read here is never of a subclass."""
    level = [value] if type(value) in _NESTED else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            for child in (item.values() if type(item) is dict else item)
            if type(child) in _NESTED
        ]
        if not level:
            return
    raise MalformedEnvelope(f"JSON nested deeper than {MAX_DEPTH}")


_NESTED = frozenset((dict, list))
# What is no plain JSON value is simplejson's to judge, so that no type is written in two ways.
_AS_SIMPLEJSON = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
# Made once: simplejson's own functions would make them anew at every call.
_DECODER = simplejson.JSONDecoder(
    parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys
)
_PLAIN = simplejson.JSONEncoder(use_decimal=True, ensure_ascii=False, separators=(",", ":"))
_ESCAPED = simplejson.JSONEncoder(use_decimal=True, ensure_ascii=True, separators=(",", ":"))
_CANONICAL = simplejson.JSONEncoder(
    use_decimal=False, default=str, ensure_ascii=True, separators=(",", ":"), sort_keys=True
)
