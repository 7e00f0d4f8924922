"""
Where a value stands in a payload: JMESPath, with a short cut for plain paths.

`a.b[0].c` and `"企业名称".code` are looked up directly; everything else is JMESPath, which costs
about ten times more. Both answer None for what is not there and never make a float.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import jmespath
from jmespath import exceptions as jmespath_errors
from jmespath import functions as jmespath_functions

from mappings.registry import Unreadable
from router.lookups import keys_of, look_up

MAX_LENGTH = 500
"""Longer than any path a person can read; keeps the JMESPath parser off the recursion limit."""

_MAX_MAGNITUDE = 400
"""A Decimal of a larger exponent would fill the memory as an integer."""


class BadPath(ValueError):
    """The path cannot be compiled; the message says why, `hint` what to write instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path. `find` returns None for what is not there, and raises only Unreadable."""

    text: str
    find: Callable[[Any], Any] = field(repr=False, compare=False)
    keys: tuple[str | int, ...] | None = None
    """The steps of a plain path; None for JMESPath."""


def compile_path(text: str) -> Path:
    """Compile once, at load. Raises BadPath."""
    if len(text) > MAX_LENGTH:
        raise BadPath(f"the path is longer than {MAX_LENGTH} characters")
    try:
        keys = keys_of(text)
    except ValueError as error:
        raise BadPath("a quoted key is not a JSON string", 'write keys as "企业名称"') from error
    return Path(text, look_up(keys), keys) if keys else Path(text, _search(text))


def _search(text: str) -> Callable[[Any], Any]:
    try:
        expression = jmespath.compile(text)
        expression.search({}, _OPTIONS)  # an unknown function shows only when it is run
    except jmespath_errors.UnknownFunctionError as error:
        raise BadPath(str(error)) from error
    except jmespath_errors.ArityError as error:
        raise BadPath(str(error).rstrip(".")) from error
    except jmespath_errors.ParseError as error:
        raise BadPath(*_explain(text, error)) from error
    except RecursionError as error:
        raise BadPath("the path nests too deeply") from error
    except Exception as error:
        # Type errors depend on the data, and {} is no real payload; anything else is a bad path.
        if not isinstance(error, (jmespath_errors.JMESPathError, TypeError, AttributeError)):
            raise BadPath(f"bad JMESPath: {type(error).__name__}") from error

    def find(data: Any) -> Any:
        # jmespath raises bare TypeError and RecursionError besides its own; its texts quote the data.
        try:
            return _without_floats(expression.search(data, _OPTIONS))
        except Exception as error:
            raise Unreadable(f"the path does not fit the data ({type(error).__name__})") from None

    return find


def _explain(text: str, error: Exception) -> tuple[str, str]:
    bare = re.search(r"[^\x00-\x7f]+", re.sub(r'"[^"]*"|\'[^\']*\'|`[^`]*`', "", text))
    if bare:
        return "bad JMESPath", f"put other than Latin keys in double quotes: '\"{bare.group()}\"'"
    position = getattr(error, "lex_position", None)
    return f"bad JMESPath at column {position + 1}" if isinstance(position, int) else "bad JMESPath", ""


def _without_floats(value: Any) -> Any:
    """JMESPath's own literals and arithmetic make floats; nothing else in the hub does."""
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    if isinstance(value, list):
        return [_without_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_floats(item) for key, item in value.items()}
    return value


class _Functions(jmespath_functions.Functions):  # type: ignore[misc]  # jmespath is untyped
    """JMESPath's own functions, taught that a Decimal is a number."""

    def _type_check_single(self, current: Any, types: Any, function_name: str) -> None:
        super()._type_check_single(_as_known(current), types, function_name)

    def _subtype_check(self, current: Any, allowed: Any, types: Any, function_name: str) -> None:
        super()._subtype_check([_as_known(item) for item in current], allowed, types, function_name)

    @jmespath_functions.signature({"types": []})  # type: ignore[untyped-decorator]  # theirs
    def _func_to_number(self, arg: Any) -> Any:
        if isinstance(arg, (list, dict, bool)) or arg is None:
            return None
        if isinstance(arg, (int, Decimal)):
            return arg
        try:
            number = Decimal(arg)
        except InvalidOperation:
            return None
        if not number.is_finite():
            return None
        return int(arg) if re.fullmatch(r"[+-]?\d{1,100}", arg) else number

    @jmespath_functions.signature({"types": []})  # type: ignore[untyped-decorator]  # theirs
    def _func_to_string(self, arg: Any) -> Any:
        if isinstance(arg, str):
            return arg
        return str(arg) if isinstance(arg, Decimal) else json.dumps(arg, ensure_ascii=False, default=str)


def _as_known(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return value
    if abs(value.adjusted()) > _MAX_MAGNITUDE:
        raise ValueError("a number of that size is no number of ours")
    return 0


_OPTIONS = jmespath.Options(custom_functions=_Functions())
