"""Parameters of a polled request: what the configuration writes, with the round's values in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue

from router import jsontext

SLOTS = ("page", "offset", "size", "cursor", "from", "to", "last_id")
LONGEST = 20_000

_SLOT = re.compile(r"\{([a-z_]+)\}")
Words = Mapping[str, str | int]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def slots_in(value: Any) -> set[str]:
    """The placeholders that stand anywhere in these parameters."""
    return {name for text in _texts(value) for name in _SLOT.findall(text)}


def _known(params: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    unknown = sorted(slots_in(params) - set(SLOTS))
    if unknown:
        raise ValueError(f"there is no {{{unknown[0]}}}; there are {', '.join(f'{{{s}}}' for s in SLOTS)}")
    if len(jsontext.dumps(dict(params))) > LONGEST:
        raise ValueError(f"longer than {LONGEST} bytes")
    return params


Params = Annotated[Mapping[str, JsonValue], Field(max_length=100), AfterValidator(_known)]
"""By name; lists and objects only in a JSON body."""


def fill(params: Mapping[str, JsonValue], words: Words) -> dict[str, Any]:
    """With the words in their places, numbers as numbers. What is empty for want of a word is left out."""
    filled = {name: _filled(value, words) for name, value in params.items()}
    return {name: value for name, value in filled.items() if value is not _EMPTY}


def as_texts(params: Mapping[str, Any]) -> dict[str, str]:
    """As they go into a query or a form."""
    return {name: text_of(value) for name, value in params.items() if value is not None}


def text_of(value: Any) -> str:
    """One value as text; what is no word as compact JSON."""
    return value if isinstance(value, str) else jsontext.dumps(value).decode()


_EMPTY: Any = object()


def _filled(value: Any, words: Words) -> Any:
    if isinstance(value, Mapping):
        return fill(value, words)
    if isinstance(value, list | tuple):
        return [inner for one in value if (inner := _filled(one, words)) is not _EMPTY]
    if not isinstance(value, str):
        return value
    whole = _SLOT.fullmatch(value)
    if whole and whole[1] in words:
        word = words[whole[1]]
        return _EMPTY if word == "" else word
    # One pass: what the source put into a word is never read as a placeholder.
    return _SLOT.sub(lambda found: str(words.get(found[1], found[0])), value)
