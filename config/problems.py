"""
pydantic's findings as sentences for the person who wrote the file: file, line, what, what instead.

What was written is repeated only where it cannot be a secret: numbers, and words that stand where
a word of a fixed list belongs.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from config.schema_walk import Schema
from router.documents import Document, Loc
from router.durations import spell
from router.errors import Problem


@dataclass(frozen=True, slots=True)
class Advice(Problem):
    """Worth mending, but no reason to refuse to start."""


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """A hint naming the nearest word, or all of them when they are few."""
    words = sorted(set(known))
    near = difflib.get_close_matches(written, words, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"one of: {', '.join(words)}" if 0 < len(words) <= 12 else ""


def explain(
    error: ValidationError, document: Document, model: type[BaseModel], above: Loc = ()
) -> list[Problem]:
    """Every finding once. `above` is where in the document the validated part stands."""
    schema = Schema(model.model_json_schema(by_alias=True))
    found: dict[tuple[str, str], Problem] = {}
    for item in error.errors(include_url=False):
        loc = tuple(item["loc"])
        what, hint = _say(dict(item), schema, loc)
        problem = Problem(document.where((*above, *loc)), what, hint)
        found.setdefault((problem.where, problem.what), problem)
    return list(found.values())


_Say = Callable[[str, Any, Mapping[str, Any], Schema], tuple[str, str]]


def _say(item: dict[str, Any], schema: Schema, loc: Loc) -> tuple[str, str]:
    kind, context = str(item["type"]), item.get("ctx", {})
    steps = schema.real_steps(loc)
    name = ".".join(str(step) for step in steps[-3:] if isinstance(step, str))
    here = schema.at(steps)
    if kind == "extra_forbidden":
        return f"unknown key {loc[-1]}", did_you_mean(str(loc[-1]), schema.at(steps[:-1]).keys())
    if kind == "invalid_key":
        return "a key must be text", "put it in quotes"
    if kind == "missing":
        return f"{loc[-1]} is missing", here.sentence()
    if kind in ("value_error", "assertion_error"):
        return _named(name, str(context.get("error", item["msg"]))), ""
    if here.is_secret():
        return f"{name} must point to a secret", "write {env: NAME} or {file: PATH}; the secret stays outside"
    if kind == "literal_error":
        expected = here.words()
        return f"{name} must be one of: {', '.join(expected)}", _near(item.get("input"), expected)
    if kind.startswith("union_tag"):
        return _kind(kind, name, here, context)
    if kind.endswith("pattern_mismatch"):
        return f"{name} is not written as expected", _form(str(context.get("pattern", "")))
    return _named(name, _plain(kind, context, item)), ""


def _kind(kind: str, name: str, here: Schema, context: Mapping[str, Any]) -> tuple[str, str]:
    expected = here.tags() or [word.strip(" '") for word in str(context.get("expected_tags", "")).split(",")]
    one_of = f"one of: {', '.join(sorted(expected))}"
    if kind == "union_tag_not_found":
        return f"{name}: kind is missing", one_of
    return f"{name}: no kind {context.get('tag')}", _near(context.get("tag"), expected) or one_of


def _near(written: Any, expected: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(written), list(expected), n=1) if isinstance(written, str) else []
    return f"did you mean {near[0]}?" if near else ""


_FORMS = {
    r"^[0-9a-zA-Z][0-9a-zA-Z._-]{0,63}$": "letters, digits, dot, hyphen and underscore, at most 64",
    r"^[A-Z][A-Z0-9_]{0,99}$": "capital letters, digits and underscores",
    r"^(\d{6})?$": "six digits, in quotes",
    r"^\d{6}$": "six digits, in quotes",
}


def _form(pattern: str) -> str:
    return _FORMS.get(pattern, f"expected: {pattern}")


_PLAIN = {
    "string_type": "must be text; put numbers that are codes in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a block of keys and values",
    "model_type": "must be a block of keys and values",
    "model_attributes_type": "must be a block of keys and values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_too_short": "must not be empty",
    "url_scheme": "is a URL with the wrong beginning; expected {expected_schemes}",
    "url_parsing": "is not a URL ({error})",
    "url_syntax_violation": "is not a URL ({error})",
    "url_too_long": "is too long for a URL",
    "url_type": "must be a URL",
    "greater_than": "must be more than {gt}{but}",
    "greater_than_equal": "must be at least {ge}{but}",
    "less_than": "must be less than {lt}{but}",
    "less_than_equal": "must be at most {le}{but}",
    "string_too_long": "is longer than {max_length} characters",
    "too_long": "has more than {max_length} entries",
    "too_short": "needs at least {min_length} entries",
    "missing_argument": "is missing",
}
_LIMITS = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})


def _plain(kind: str, context: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    text = _PLAIN.get(kind)
    if text is None:
        return str(item["msg"]).replace("Input should be", "must be").replace("Value error, ", "")
    shown = {key: _shown(value) for key, value in context.items()}
    but = f", not {_shown(item.get('input'))}" if kind in _LIMITS else ""
    return text.format_map({**shown, "but": but})


def _shown(value: Any) -> str:
    """Numbers and lengths of time; a text only by what pydantic itself says of it."""
    if isinstance(value, timedelta):
        return spell(value)
    found = re.fullmatch(r"datetime\.timedelta\((?:days=(\d+))?(?:, )?(?:seconds=(\d+))?.*\)", str(value))
    if found:
        return spell(timedelta(days=int(found[1] or 0), seconds=int(found[2] or 0)))
    return str(value)


_CLAIMS = ("must ", "is ", "needs ", "has ")


def _named(name: str, said: str) -> str:
    if not name:
        return said
    return f"{name} {said}" if said.startswith(_CLAIMS) else f"{name}: {said}"
