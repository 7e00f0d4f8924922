"""Configuration mistakes as people can mend them: file, line, what, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from mappings.registry import did_you_mean
from router.documents import Document, Loc
from router.errors import Problem

_KNOWN_BY_TYPE = {
    "string_type": "write it in quotes: it must be text",
    "int_type": "write a whole number",
    "bool_type": "write true or false",
    "float_type": "write it in quotes, so that it keeps its spelling",
}


def problems_of(
    error: ValidationError, document: Document, known: Iterable[str], above: Loc = ()
) -> list[Problem]:
    """One problem per place: a union complains once for each of its kinds, people need it once."""
    found: dict[str, Problem] = {}
    for item in error.errors(include_url=False, include_input=False):
        loc = (*above, *item["loc"])
        problem = _problem(item["type"], str(item["msg"]), loc, document, known)
        found.setdefault(problem.where if item["type"] != "extra_forbidden" else str(problem), problem)
    return list(found.values())


def keys_of(*models: type[BaseModel]) -> list[str]:
    """Every key that these models know, as files spell them."""
    return [info.alias or name for model in models for name, info in model.model_fields.items()]


def _problem(kind: str, message: str, loc: Loc, document: Document, known: Iterable[str]) -> Problem:
    where, last = document.where(loc), loc[-1] if loc else ""
    if kind == "extra_forbidden":
        return Problem(where, f'unknown key "{last}"', did_you_mean(str(last), known))
    if kind == "missing":
        return Problem(where, f'"{last}" is missing')
    if kind.endswith("_type") and loc and _is_key(loc):
        return Problem(where, "a code must be text", "write it in quotes, or 010 becomes 10")
    path = ".".join(str(step) for step in _real(loc, document.data))
    said = message.removeprefix("Value error, ")
    return Problem(where, f"{path}: {said}" if path else said, _KNOWN_BY_TYPE.get(kind, ""))


def _is_key(loc: Loc) -> bool:
    return loc[-1] == "[key]"


def _real(loc: Loc, data: Any) -> list[str | int]:
    """The steps of a loc that stand in the file; pydantic puts names of union members in between."""
    real: list[str | int] = []
    for step in loc:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            continue
        real.append(step)
    return real
